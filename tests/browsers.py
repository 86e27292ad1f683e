"""A real gateway process, and what its tests put before it: pillows, good browsers and bad ones."""

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
from tests.waiting import POLL_S

PATIENCE_S = 20.0
"""How long anything may take on a busy machine; a failure is as patient, a success is not."""

COMMAND = Path(sys.executable).parent / "gateway"

Frame = dict[str, Any]


def state(
    pillow: str = "cloud-1", name: str = "hugging", *, ago_s: float = 0, **more: object
) -> bytes:
    """A state as a pillow's poller publishes it; `ago_s` is how old it says it is."""
    at = datetime.fromtimestamp(datetime.now(UTC).timestamp() - ago_s, UTC)
    told = {"pillow": pillow, "state": name, "at": at.isoformat().replace("+00:00", "Z"), **more}
    return json.dumps(told).encode()


class Gateway(Program):
    """The gateway's process on a free port, with a topic prefix of its own."""

    def __init__(
        self, broker: Broker, prefix: str, *, any_answer: bool = False, **env: str
    ) -> None:
        """`any_answer` counts it as started before it has its broker."""
        self.broker = broker
        self.prefix = prefix
        self.port = ports.free()
        alive = ("/healthz", 200) if any_answer else ("/readyz", 200)
        super().__init__(
            "gateway",
            [COMMAND],
            ready=partial(http_answers, ports.HOST, self.port, alive[0], status=alive[1]),
            env={
                **{name: None for name in os.environ if name.startswith(("GATEWAY_", "MQTT_"))},
                "MQTT_URL": broker.url_for("gateway"),
                "TOPIC_PREFIX": prefix,
                "INSTANCE": f"i{uuid4().hex[:12]}",
                "GATEWAY_HOST": ports.HOST,
                "GATEWAY_PORT": str(self.port),
                "LOG_FORMAT": "json",
                "LOG_LEVEL": "info",
                **env,
            },
        )

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://{ports.HOST}:{self.port}"

    @asynccontextmanager
    async def browser(self, query: str = "", **options: Any) -> AsyncIterator["Browser"]:
        """A browser on the WebSocket."""
        address = f"ws://{ports.HOST}:{self.port}/ws{query}"
        given = {"compression": None, "proxy": None, "max_size": None, **options}
        async with connect(address, **given) as connection:
            yield Browser(connection)

    async def dial(self, sent: bytes = b"", *, receive_buffer: int | None = None) -> "Wire":
        """A bare connection, on which `sent` is said first."""
        plain = socket.socket()
        if receive_buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, (ports.HOST, self.port))
        wire = Wire(plain)
        if sent:
            await wire.send(sent)
        return wire

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask over HTTP."""
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            return await client.get(f"{self.url}{path}", headers=headers)

    async def metric(self, name: str) -> float:
        """One number of /metrics, by its name with labels; 0 while there is none."""
        for line in (await self.get("/metrics")).text.splitlines():
            if line.startswith(f"pillowcast_gateway_{name} "):
                return float(line.rpartition(" ")[2])
        return 0.0

    async def until_metric(self, name: str, value: float) -> None:
        """Wait until a number is what it has to become."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := await self.metric(name)) != value:
            assert time.monotonic() < deadline, f"{name} is {found}, not {value}"
            await asyncio.sleep(POLL_S)

    def resident_bytes(self) -> int:
        """How much memory the process has now."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def assert_log_is_clean(self) -> None:
        """Not one traceback, and no error."""
        for line in self.log.lines:
            lowered = line.lower()
            assert "traceback" not in lowered, line
            assert "exception" not in lowered, line
            assert '"level": "error"' not in lowered, line


class Pillows:
    """What publishes on a gateway's prefix: states, availability, nonsense."""

    def __init__(self, client: aiomqtt.Client, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    async def say(self, payload: bytes, *, pillow: str | None = None, retain: bool = True) -> bytes:
        """Publish a state, on the topic of the pillow that it names unless told otherwise."""
        name = pillow or msgspec.json.decode(payload)["pillow"]
        await self._client.publish(f"{self._prefix}/{name}/state", payload, qos=1, retain=retain)
        return payload

    async def say_all(self, payloads: Sequence[bytes]) -> None:
        """Publish many states, in their order, without waiting for each."""
        for first in range(0, len(payloads), 200):
            await asyncio.gather(*map(self.say, payloads[first : first + 200]))

    async def remove(self, pillow: str) -> None:
        """Clear the retained state."""
        await self.say(b"", pillow=pillow)

    async def available(self, pillow: str, word: bytes) -> None:
        """Say on a pillow's behalf whether it is online."""
        topic = f"{self._prefix}/{pillow}/availability"
        await self._client.publish(topic, word, qos=1, retain=True)


@asynccontextmanager
async def pillows(broker: Broker, prefix: str) -> AsyncIterator[Pillows]:
    """A connection that may write states and availability."""
    async with aiomqtt.Client(
        ports.HOST,
        broker.port,
        username="simulator",
        password="simulator",
        max_inflight_messages=500,
        max_queued_outgoing_messages=0,
    ) as client:
        client.pending_calls_threshold = 1000  # many at once is what is meant here
        yield Pillows(client, prefix)


async def mosquitto_pub(broker: Broker, topic: str, payload: bytes, *options: str) -> None:
    """Publish retained as a person does: with mosquitto's own client."""
    address = ("-h", ports.HOST, "-p", str(broker.port), "-u", "poller", "-P", "poller")
    process = await asyncio.create_subprocess_exec(
        "mosquitto_pub",
        *address,
        *("-q", "1", "-r", "-t", topic, "-s", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PATH": SEARCH},
    )
    async with asyncio.timeout(PATIENCE_S):
        said, _ = await process.communicate(payload)
    assert process.returncode == 0, said


class Browser:
    """A WebSocket client that says what it got."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.raw = b""
        self._unseen: list[Any] = []

    async def next(self) -> Frame:
        """The next frame that is no heartbeat; its bytes are in `raw`."""
        self._unseen = []
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.raw = await self.connection.recv(decode=False)
                frame: Frame = msgspec.json.decode(self.raw)
                if frame["type"] != "heartbeat":
                    return frame

    async def until(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The next frame of that kind; those before it are passed over."""
        while not wanted(frame := await self.next()):
            pass
        return frame

    async def until_state(self, pillow: str, name: str) -> dict[str, Any]:
        """The next time that a pillow is shown in a state; a frame may show it in several."""
        while True:
            while self._unseen:
                shown = self._unseen.pop(0)
                if isinstance(shown, dict) and (shown["pillow"], shown["state"]) == (pillow, name):
                    return shown
            self._unseen = list((await self.next()).get("pillows", ()))

    async def say(self, frame: object) -> None:
        """Send a frame."""
        await self.connection.send(json.dumps(frame))

    async def closed(self) -> int | None:
        """Wait for the end; the close code."""
        async with asyncio.timeout(PATIENCE_S):
            await self.connection.wait_closed()
        return self.connection.close_code


class Wire:
    """A bare TCP connection, for whom no rule of any protocol holds."""

    def __init__(self, plain: socket.socket) -> None:
        self._socket = plain
        self._loop = asyncio.get_running_loop()
        self.got = b""

    async def send(self, data: bytes) -> None:
        """Send bytes; that the other side has gone is no news here."""
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                await self._loop.sock_sendall(self._socket, data)

    async def read_until(self, enough: Callable[[bytes], bool]) -> bytes:
        """Read on until there is enough; an end before that is a failure."""
        async with asyncio.timeout(PATIENCE_S):
            while not enough(self.got):
                data = await self._loop.sock_recv(self._socket, 1 << 20)
                assert data, f"ended after {self.got[-200:]!r}"
                self.got += data
        return self.got

    async def read_to_end(self) -> bytes:
        """Read on until the other side ends the connection."""
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                while data := await self._loop.sock_recv(self._socket, 1 << 20):
                    self.got += data
        return self.got

    def half_close(self) -> None:
        """Say that nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End the connection as a crash does: at once, with a reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


def request(path: str = "/", *headers: str, method: str = "GET") -> bytes:
    """An HTTP request."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: x", *headers, "", "")).encode("latin-1")


def handshake(path: str = "/ws", *headers: str, method: str = "GET") -> bytes:
    """A request for a WebSocket."""
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


def masked(opcode: int, payload: bytes, *, fin: bool = True, mask: bool = True) -> bytes:
    """A frame from a browser."""
    first = bytes([(0x80 if fin else 0) | opcode])
    flag, size = (0x80 if mask else 0), len(payload)
    if size < 126:
        head = first + bytes([flag | size])
    elif size < 65536:
        head = first + bytes([flag | 126]) + struct.pack("!H", size)
    else:
        head = first + bytes([flag | 127]) + struct.pack("!Q", size)
    return head + (b"\0\0\0\0" if mask else b"") + payload


def unframed(data: bytes) -> list[tuple[int, bytes]]:
    """Whole frames from a gateway, after its answer to the handshake: opcode and payload."""
    _, _, rest = data.partition(b"\r\n\r\n")
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
    return frames


def close_code(data: bytes) -> int | None:
    """With which code a gateway closed; None when it did not."""
    codes = [payload for opcode, payload in unframed(data) if opcode == CLOSE]
    return int.from_bytes(codes[0][:2], "big") if codes else None
