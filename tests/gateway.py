"""A gateway process for tests, an MQTT publisher, a WebSocket client and raw TCP connections."""

import asyncio
import contextlib
import json
import os
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiomqtt
import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from devstack import ports
from devstack.broker import SEARCH, Broker
from devstack.probes import http_answers
from devstack.processes import Program
from tests.commands import run_to_end
from tests.metrics import sample
from tests.mqtt_client import mqtt_client
from tests.service_process import COMMAND_S
from tests.waiting import POLL_S

TIMEOUT_S = 40.0
"""Timeout of every wait, for a busy machine: only a failing test waits so long."""

COMMAND = Path(sys.executable).parent / "gateway"

Frame = dict[str, Any]


def state(
    pillow: str = "cloud-1", name: str = "hugging", *, ago_s: float = 0, **more: object
) -> bytes:
    """Return a state as the poller publishes it; its `at` is `ago_s` seconds before now."""
    at = datetime.fromtimestamp(datetime.now(UTC).timestamp() - ago_s, UTC)
    fields = {"pillow": pillow, "state": name, "at": at.isoformat().replace("+00:00", "Z"), **more}
    return json.dumps(fields).encode()


class Gateway(Program):
    """A gateway process on a free port, with its own topic prefix."""

    def __init__(
        self, broker: Broker, prefix: str, *, without_broker: bool = False, **env: str
    ) -> None:
        """`without_broker` counts the process as started before it is connected to its broker."""
        self.broker = broker
        self.prefix = prefix
        self.port, self.ops_port = ports.free(), ports.free()
        ready = (self.port, "/healthz") if without_broker else (self.ops_port, "/readyz")
        super().__init__(
            "gateway",
            [COMMAND],
            ready=partial(http_answers, ports.HOST, *ready, status=200),
            env={
                **{name: None for name in os.environ if name.startswith(("GATEWAY_", "MQTT_"))},
                "MQTT_URL": broker.url_for("gateway"),
                "TOPIC_PREFIX": prefix,
                "INSTANCE": f"i{uuid4().hex[:12]}",
                "GATEWAY_HOST": ports.HOST,
                "GATEWAY_PORT": str(self.port),
                "GATEWAY_OPS_HOST": ports.HOST,
                "GATEWAY_OPS_PORT": str(self.ops_port),
                "LOG_FORMAT": "json",
                "LOG_LEVEL": "info",
                **env,
            },
        )

    @property
    def url(self) -> str:
        """The base URL of its pages."""
        return f"http://{ports.HOST}:{self.port}"

    @property
    def ops_url(self) -> str:
        """The base URL of its health and metrics."""
        return f"http://{ports.HOST}:{self.ops_port}"

    @asynccontextmanager
    async def connect(self, query: str = "", **options: Any) -> AsyncIterator["WebSocketClient"]:
        """Open a WebSocket connection."""
        address = f"ws://{ports.HOST}:{self.port}/ws{query}"
        arguments = {
            "compression": None,
            "proxy": None,
            "max_size": None,
            "open_timeout": TIMEOUT_S,
            **options,
        }
        async with connect(address, **arguments) as connection:
            yield WebSocketClient(connection)

    async def open_raw(
        self,
        sent: bytes = b"",
        *,
        receive_buffer: int | None = None,
        source: str = ports.HOST,
        port: int | None = None,
    ) -> "RawConnection":
        """Open a TCP connection and send `sent`; `receive_buffer` is its SO_RCVBUF in bytes.

        `source` is the address that it comes from: all of 127.0.0.0/8 are this machine's. `port` is
        that of a proxy in front.
        """
        plain = socket.socket()
        if source != ports.HOST:
            plain.bind((source, 0))
        if receive_buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, (ports.HOST, port or self.port))
        connection = RawConnection(plain)
        if sent:
            await connection.send(sent)
        return connection

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Send a GET request."""
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            return await client.get(f"{self.url}{path}", headers=headers)

    async def get_ops(self, path: str, **headers: str) -> httpx.Response:
        """Send a GET request to the ops port."""
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            return await client.get(f"{self.ops_url}{path}", headers=headers)

    async def run_command(self, *words: str) -> tuple[str, str, int | None]:
        """Run a command with the same settings; returns its output, error output and status."""
        given = {**os.environ, **self.env}
        env = {name: value for name, value in given.items() if value is not None}
        out, err, status = await run_to_end(COMMAND, *words, env=env, within_s=COMMAND_S)
        return out.decode(), err.decode(), status

    async def metric(self, name: str) -> float:
        """Return a sample of /metrics by its name with labels; 0 if there is none."""
        text = (await self.get_ops("/metrics")).text
        return sample(text, f"pillowcast_gateway_{name}", absent=0.0)

    async def wait_for_metric(self, name: str, value: float) -> None:
        """Wait until a sample of /metrics has this value."""
        deadline = time.monotonic() + TIMEOUT_S
        while (found := await self.metric(name)) != value:
            assert time.monotonic() < deadline, f"{name} is {found}, not {value}"
            await asyncio.sleep(POLL_S)

    def resident_bytes(self) -> int:
        """Return the resident memory of the process."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def assert_log_is_clean(self) -> None:
        """Assert that the log has no traceback and no error."""
        for line in self.log.lines:
            lowered = line.lower()
            assert "traceback" not in lowered, line
            assert "exception" not in lowered, line
            assert '"level": "error"' not in lowered, line


class Publisher:
    """Publishes states and availability below a gateway's topic prefix."""

    def __init__(self, client: aiomqtt.Client, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    async def publish(
        self, payload: bytes, *, pillow: str | None = None, retain: bool = True
    ) -> bytes:
        """Publish a payload on the state topic of `pillow`, or of the pillow that it names."""
        name = pillow or msgspec.json.decode(payload)["pillow"]
        await self._client.publish(f"{self._prefix}/{name}/state", payload, qos=1, retain=retain)
        return payload

    async def publish_all(self, payloads: Sequence[bytes]) -> None:
        """Publish many states in their order, up to 200 at a time unacknowledged."""
        for first in range(0, len(payloads), 200):
            await asyncio.gather(*map(self.publish, payloads[first : first + 200]))

    async def remove(self, pillow: str) -> None:
        """Clear the retained state."""
        await self.publish(b"", pillow=pillow)

    async def publish_availability(self, pillow: str, payload: bytes) -> None:
        """Publish `online` or `offline` on a pillow's availability topic."""
        topic = f"{self._prefix}/{pillow}/availability"
        await self._client.publish(topic, payload, qos=1, retain=True)


@asynccontextmanager
async def connect_publisher(broker: Broker, prefix: str) -> AsyncIterator[Publisher]:
    """Connect to the broker as a user that may publish states and availability."""
    async with mqtt_client(
        broker, "simulator", max_inflight_messages=500, max_queued_outgoing_messages=0
    ) as client:
        client.pending_calls_threshold = 1000  # no warning: publish_all has 200 pending at a time
        yield Publisher(client, prefix)


async def mosquitto_pub(broker: Broker, topic: str, payload: bytes, *options: str) -> None:
    """Publish a retained message with the command of mosquitto."""
    address = (
        "-h",
        ports.HOST,
        "-p",
        str(broker.port),
        "-u",
        "poller",
        "-P",
        broker.password("poller"),
    )
    process = await asyncio.create_subprocess_exec(
        "mosquitto_pub",
        *address,
        *("-q", "1", "-r", "-t", topic, "-s", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PATH": SEARCH},
    )
    async with asyncio.timeout(TIMEOUT_S):
        output, _ = await process.communicate(payload)
    assert process.returncode == 0, output


class WebSocketClient:
    """A WebSocket client that decodes the frames it receives."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.raw = b""
        self._remaining: list[Any] = []

    async def receive(self) -> Frame:
        """Receive the next frame that is not a heartbeat; its bytes are in `raw`."""
        self._remaining = []
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                self.raw = await self.connection.recv(decode=False)
                frame: Frame = msgspec.json.decode(self.raw)
                if frame["type"] != "heartbeat":
                    return frame

    async def receive_snapshot(self) -> list[dict[str, Any]]:
        """Receive a whole snapshot, in however many frames, and return its pillows."""
        pillows: list[dict[str, Any]] = []
        has_more = True
        while has_more:
            frame = await self.receive()
            assert frame["type"] == "snapshot"
            pillows += frame["pillows"]
            has_more = frame.get("more", False)
        return pillows

    async def receive_until(self, matches: Callable[[Frame], bool]) -> Frame:
        """Receive until a frame matches, and return it."""
        while not matches(frame := await self.receive()):
            pass
        return frame

    async def receive_state(self, pillow: str, name: str) -> dict[str, Any]:
        """Receive until a pillow has a state, and return that; a frame may hold several of one."""
        while True:
            while self._remaining:
                found = self._remaining.pop(0)
                if isinstance(found, dict) and (found["pillow"], found["state"]) == (pillow, name):
                    return found
            self._remaining = list((await self.receive()).get("pillows", ()))

    async def send(self, frame: object) -> None:
        """Send a frame."""
        await self.connection.send(json.dumps(frame))

    async def wait_closed(self) -> int | None:
        """Wait until the connection is closed, and return the close code."""
        async with asyncio.timeout(TIMEOUT_S):
            await self.connection.wait_closed()
        return self.connection.close_code


class RawConnection:
    """A TCP connection that can send bytes which break the protocol."""

    def __init__(self, plain: socket.socket) -> None:
        self._socket = plain
        self._loop = asyncio.get_running_loop()
        self.received = b""

    async def send(self, data: bytes) -> None:
        """Send bytes; a connection that the gateway has closed is no error."""
        async with asyncio.timeout(TIMEOUT_S):
            with contextlib.suppress(ConnectionError):
                await self._loop.sock_sendall(self._socket, data)

    async def read_until(self, is_complete: Callable[[bytes], bool]) -> bytes:
        """Read until all received bytes are complete; fail if the connection ends before."""
        async with asyncio.timeout(TIMEOUT_S):
            while not is_complete(self.received):
                data = await self._loop.sock_recv(self._socket, 1 << 20)
                assert data, f"ended after {self.received[-200:]!r}"
                self.received += data
        return self.received

    async def read_to_end(self) -> bytes:
        """Read until the gateway ends the connection."""
        async with asyncio.timeout(TIMEOUT_S):
            with contextlib.suppress(ConnectionError):
                while data := await self._loop.sock_recv(self._socket, 1 << 20):
                    self.received += data
        return self.received

    def half_close(self) -> None:
        """End the sending side with a FIN."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End the connection with a reset, as a crashed client does."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def request(path: str = "/", *headers: str, method: str = "GET") -> bytes:
    """Return the bytes of an HTTP request."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", "")).encode(
        "latin-1"
    )


def handshake(path: str = "/ws", *headers: str, method: str = "GET") -> bytes:
    """Return the bytes of a WebSocket opening handshake."""
    return request(
        path,
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *headers,
        method=method,
    )


TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


def client_frame(opcode: int, payload: bytes, *, fin: bool = True, mask: bool = True) -> bytes:
    """Return the bytes of a WebSocket frame as a client sends it, masked with zeros."""
    first = bytes([(0x80 if fin else 0) | opcode])
    flag, size = (0x80 if mask else 0), len(payload)
    if size < 126:
        head = first + bytes([flag | size])
    elif size < 65536:
        head = first + bytes([flag | 126]) + struct.pack("!H", size)
    else:
        head = first + bytes([flag | 127]) + struct.pack("!Q", size)
    return head + (b"\0\0\0\0" if mask else b"") + payload


def parse_frames(data: bytes) -> list[tuple[int, bytes]]:
    """Return opcode and payload of each whole frame after the response to the handshake."""
    frames, _ = split_frames(data.partition(b"\r\n\r\n")[2])
    return frames


def split_frames(rest: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return opcode and payload of each whole frame, and the bytes behind them."""
    frames = []
    while len(rest) >= 2:
        size, start = rest[1] & 0x7F, 2
        if size == 126:
            size, start = int.from_bytes(rest[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(rest[2:10], "big"), 10
        if len(rest) < start + size:
            break
        frames.append((rest[0] & 0x0F, rest[start : start + size]))
        rest = rest[start + size :]
    return frames, rest


def close_code(data: bytes) -> int | None:
    """Return the close code of the first close frame; None without one."""
    codes = [payload for opcode, payload in parse_frames(data) if opcode == CLOSE]
    return int.from_bytes(codes[0][:2], "big") if codes else None
