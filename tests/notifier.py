"""The notifier as a process, a receiver of webhooks that fails in every way, and pillows."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt

from contract.timestamps import format_timestamp
from contract.topics import Topics
from devstack import ports
from devstack.broker import Broker
from tests.mqtt_client import mqtt_client
from tests.service_process import WITHIN_S, ServiceProcess
from tests.waiting import eventually, until

EPOCH_US = 1_760_000_000_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived."""

    head: bytes
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent in it."""
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""What a receiver does once it has read a request."""


def answer(status: str, *headers: str, body: bytes = b"") -> Behaviour:
    """Return the behaviour of an ordinary answer."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
        writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
        await writer.drain()

    return behave


async def hang(writer: asyncio.StreamWriter) -> None:
    """Send nothing for longer than any timeout."""
    await asyncio.sleep(600)


async def cut(writer: asyncio.StreamWriter) -> None:
    """Reset the connection instead of an answer."""
    writer.transport.abort()


async def answer_slowly(writer: asyncio.StreamWriter) -> None:
    """Announce a body that never comes to its end."""
    writer.write(b"HTTP/1.1 500 Slow\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(600):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.1)


OK = answer("204 No Content")


@dataclass
class Receiver:
    """An HTTP server on loopback; `behaviours` are used up one a request, then `usually`."""

    port: int = field(default_factory=ports.free)
    usually: Behaviour = OK
    behaviours: list[Behaviour] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The URL that it has."""
        return f"http://{ports.HOST}:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The ids of the events that arrived, in order."""
        return [request.headers["webhook-id"] for request in self.requests]

    async def open(self) -> None:
        """Accept connections."""
        self._server = await asyncio.start_server(self._serve, ports.HOST, self.port, ssl=self.tls)

    async def close(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def received(self, count: int) -> list[Request]:
        """Wait until so many requests have arrived."""
        await until(lambda: len(self.requests) >= count, f"{count} requests", within_s=WITHIN_S)
        return self.requests

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                head, *lines = (await reader.readuntil(b"\r\n\r\n")).strip().split(b"\r\n")
                pairs = (line.decode().split(": ", 1) for line in lines)
                headers = {name.lower(): value for name, value in pairs}
                body = await reader.readexactly(int(headers["content-length"]))
                self.requests.append(Request(head, headers, body))
                behave = self.behaviours.pop(0) if self.behaviours else self.usually
                await behave(writer)
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            writer.close()


@asynccontextmanager
async def receiving(*behaviours: Behaviour, usually: Behaviour = OK) -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver(usually=usually, behaviours=list(behaviours))
    await receiver.open()
    try:
        yield receiver
    finally:
        await receiver.close()


HUGS = """
[[rule]]
name = "hugs"
on = "state"
state = "hugging"
to = [{to}]
"""


def hugs_to(*receivers: Receiver, options: str = "") -> str:
    """Return rules that send every hug to each receiver, as `house0`, `house1` …"""
    tables = [
        f'[destination.house{number}]\nurl = "{one.url}"\nprivate = true\n{options}\n'
        for number, one in enumerate(receivers)
    ]
    names = ", ".join(f'"house{number}"' for number in range(len(receivers)))
    return "".join(tables) + HUGS.format(to=names)


class Notifier(ServiceProcess):
    """The command with rules of its own, and an outbox in a folder."""

    service = "notifier"

    def __init__(self, folder: Path, rules: str, prefix: str, broker: Broker, **given: str) -> None:
        self.rules = folder / "notifier.toml"
        self.rules.write_text(rules)
        settings = {
            "INSTANCE": "one",
            "NOTIFIER_RULES": str(self.rules),
            "NOTIFIER_OUTBOX": str(folder / "outbox.db"),
        }
        super().__init__(prefix, broker, settings | given)

    async def until_metric(self, name: str, value: float) -> None:
        """Wait until a sample has a value."""

        async def has_value() -> bool:
            return await self.metric(name) == value

        await eventually(has_value, f"{name} {value:g}")

    def limit_file_size(self, kilobytes: int) -> None:
        """Let no file of it grow beyond a size, as on a full disk."""
        script = f'ulimit -f {2 * kilobytes}; exec "$0"'
        self.command = ["sh", "-c", script, str(self.executable)]

    async def kill_now(self) -> None:
        """Kill it, and wait until it has ended."""
        self.kill()
        await self.wait()


class Pillows:
    """Pillows, and pollers, as far as they are on MQTT."""

    def __init__(self, client: aiomqtt.Client, poller: aiomqtt.Client, prefix: str) -> None:
        self._client = client
        self._poller = poller
        self.topics = Topics(prefix)
        self._number = 0

    async def report(self, state: str, pillow: str = "cloud-1") -> None:
        """Report a state, newer than the one before."""
        self._number += 1
        at = format_timestamp(EPOCH_US + self._number * 1_000_000)
        payload = json.dumps({"pillow": pillow, "state": state, "at": at})
        await self._client.publish(self.topics.state(pillow), payload, qos=1, retain=True)

    async def hug(self, times: int = 1, pillow: str = "cloud-1") -> None:
        """Be hugged, and let go."""
        for _ in range(times):
            await self.report("hugging", pillow)
            await self.report("neutral", pillow)

    async def publish_as_poller(self, topic: str, payload: bytes, *, retain: bool = True) -> None:
        """Publish as a poller."""
        await self._poller.publish(topic, payload, qos=1, retain=retain)


@asynccontextmanager
async def pillows_of(broker: Broker, prefix: str) -> AsyncIterator[Pillows]:
    """Connect to the broker as pillows and as a poller."""
    async with mqtt_client(broker, "simulator") as client, mqtt_client(broker, "poller") as poller:
        yield Pillows(client, poller, prefix)
