"""The servers that are measured: the gateway, its alternatives, and a minimal server in C.

The alternatives are installed by installation.py; their servers are in alternatives/.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from bench.gateway.installation import ALTERNATIVES, VENV
from bench.gateway.load import BENCH_FOLDER, HERE, CannotMeasure, Publisher, compiled
from bench.gateway.usage import SERVER_CPU, pin
from devstack import ports
from devstack.broker import SEARCH, Broker
from devstack.probes import Probe, http_answers, mqtt_answers
from devstack.processes import ROOT, Program


@dataclass(frozen=True)
class RunningServer:
    """A server that runs: its process, the port for clients, and how states reach it.

    `options` are those of load.c.
    """

    program: Program
    port: int
    publisher: Publisher
    options: tuple[str, ...]

    @property
    def pid(self) -> int:
        """The process whose use is measured, with that of its descendants."""
        if self.program.pid is None:
            raise CannotMeasure(f"{self.program.name} is not running")
        return self.program.pid


@dataclass(frozen=True)
class Server:
    """A server to measure.

    `rates` are the updates a second that the scenario `saturate` tries in turn.
    `protocol` and `topic` are those of its publisher, `needs` the files that it consists of.
    """

    name: str
    program: Callable[[Broker], Program]
    rates: tuple[float, ...]
    quick_rates: tuple[float, ...]
    options: tuple[str, ...] = ()
    protocol: str = "mqtt"
    topic: str = "pillow/%s/state"
    needs: tuple[Path, ...] = field(default=())

    @property
    def is_installed(self) -> bool:
        """Whether it can be started on this machine."""
        return all(path.exists() for path in self.needs)

    @asynccontextmanager
    async def running(self, broker: Broker, *, pinned: bool = True) -> AsyncIterator[RunningServer]:
        """Start it, on a CPU of its own unless not `pinned`, and stop it at the end."""
        program = self.program(broker)
        async with program:
            port = int(program.env["BENCH_PORT"] or 0)
            publish_port = {
                "mqtt": int(program.env.get("BENCH_MQTT_PORT") or broker.port),
                "udp": port,
                "nats": int(program.env.get("BENCH_NATS_PORT") or 0),
            }
            publisher = Publisher(
                self.protocol,
                publish_port[self.protocol],
                broker.password("simulator"),
                self.topic,
            )
            running = RunningServer(program, port, publisher, self.options)
            if pinned:
                pin(running.pid, SERVER_CPU)
            yield running


def _gateway(broker: Broker, **env: str) -> Program:
    port, ops_port = ports.free(), ports.free()
    return Program(
        "gateway",
        [ROOT / ".venv" / "bin" / "gateway"],
        ready=partial(http_answers, ports.HOST, ops_port, "/readyz", status=200),
        env={
            "BENCH_PORT": str(port),
            "MQTT_URL": broker.url_for("gateway"),
            "TOPIC_PREFIX": "pillow",
            "GATEWAY_HOST": ports.HOST,
            "GATEWAY_PORT": str(port),
            "GATEWAY_OPS_PORT": str(ops_port),
            "GATEWAY_EXPIRE_AFTER": "86400",
            "LOG_FORMAT": "json",
            **env,
        },
    )


def _c_limit(_broker: Broker) -> Program:
    port = ports.free()
    return Program(
        "limit",
        [compiled("limit"), str(port)],
        ready=_accepts_tcp(port),
        env={"BENCH_PORT": str(port)},
    )


def _script(runner: str | Path, script: str, broker: Broker) -> Program:
    port = ports.free()
    return Program(
        script,
        [runner, HERE / "alternatives" / script, str(port), str(broker.port)],
        ready=_accepts_tcp(port),
        env={"BENCH_PORT": str(port), "NODE_PATH": str(ALTERNATIVES / "node_modules")},
    )


def _mosquitto(_broker: Broker) -> Program:
    port, mqtt_port = ports.free(), ports.free()
    folder = BENCH_FOLDER / "mosquitto"
    folder.mkdir(exist_ok=True)
    config = folder / f"{port}.conf"
    config.write_text(
        f"listener {mqtt_port} 127.0.0.1\nlistener {port} 127.0.0.1\nprotocol websockets\n"
        "allow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\nlog_type none\n"
    )
    return Program(
        "mosquitto",
        [shutil.which("mosquitto", path=SEARCH) or "mosquitto", "-c", config],
        ready=partial(mqtt_answers, ports.HOST, mqtt_port),
        env={"BENCH_PORT": str(port), "BENCH_MQTT_PORT": str(mqtt_port)},
    )


def _nats(_broker: Broker) -> Program:
    port, nats_port = ports.free(), ports.free()
    config = BENCH_FOLDER / f"nats-{port}.conf"
    config.write_text(
        f'host: 127.0.0.1\nport: {nats_port}\nwebsocket {{ host: "127.0.0.1", port: {port}, '
        "no_tls: true }\nmax_connections: 20000\n"
    )
    env = {"BENCH_PORT": str(port), "BENCH_NATS_PORT": str(nats_port), "GOMAXPROCS": "1"}
    return Program(
        "nats", [VENV / "bin" / "nats-server", "-c", config], ready=_accepts_tcp(port), env=env
    )


def _accepts_tcp(port: int) -> Probe:
    async def probe() -> str | None:
        try:
            _, writer = await asyncio.open_connection(ports.HOST, port)
        except OSError as error:
            return f"{error}"
        writer.close()
        return None

    return probe


def _mqtt_subscription() -> str:
    """Return CONNECT without a client id and SUBSCRIBE to all states, as hexadecimal digits."""
    connect = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"
    topic = b"pillow/+/state"
    body = b"\0\1" + len(topic).to_bytes(2, "big") + topic + b"\0"
    return (connect + bytes([0x82, len(body)]) + body).hex()


_NODE_PROGRAM: Final = shutil.which("node") or "node"
_VENV_PYTHON: Final = VENV / "bin" / "python"
_SOCKET_IO: Final = ("--path", "/socket.io/?EIO=4&transport=websocket", "--send", "40")

GATEWAY: Final = Server("Pillowcast", _gateway, (1000, 2000, 3500, 5000, 6000, 7500), (5000,))
LIMIT: Final = Server("C limit", _c_limit, (84, 100, 119, 141, 168, 200), (119,), protocol="udp")

SERVERS: Final = (
    GATEWAY,
    LIMIT,
    Server(
        "mosquitto",
        _mosquitto,
        (50, 59, 71, 84, 100, 119),
        (71,),
        (
            "--header",
            "Sec-WebSocket-Protocol: mqtt",
            "--path",
            "/",
            "--send-hex",
            _mqtt_subscription(),
        ),
    ),
    Server(
        "ws, Node.js",
        partial(_script, _NODE_PROGRAM, "ws.cjs"),
        (50, 59, 71, 84, 100, 119),
        (71,),
        needs=(ALTERNATIVES / "node_modules" / "ws",),
    ),
    Server(
        "Socket.IO, Node.js",
        partial(_script, _NODE_PROGRAM, "socketio.cjs"),
        (35, 42, 50, 59, 71, 84),
        (50,),
        _SOCKET_IO,
        needs=(ALTERNATIVES / "node_modules" / "socket.io",),
    ),
    Server(
        "NATS",
        _nats,
        (200, 400, 566, 800, 951, 1131),
        (566,),
        (
            "--path",
            "/",
            "--send-hex",
            b'CONNECT {"verbose":false}\r\nSUB pillow.*.state 1\r\n'.hex(),
        ),
        protocol="nats",
        topic="pillow.%s.state",
        needs=(VENV / "bin" / "nats-server",),
    ),
    Server(
        "naive Starlette",
        partial(_script, _VENV_PYTHON, "naive_starlette.py"),
        (18, 21, 25, 30, 35, 42),
        (25,),
        needs=(_VENV_PYTHON,),
    ),
    Server(
        "Flask-SocketIO",
        partial(_script, _VENV_PYTHON, "flask_socketio_server.py"),
        (15, 18, 21, 25, 30),
        (18,),
        _SOCKET_IO,
        needs=(_VENV_PYTHON,),
    ),
)
