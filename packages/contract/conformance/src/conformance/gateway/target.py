"""The gateway under test: where it is, how states are published, and its operator's commands."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import aiomqtt
import httpx

from conformance.gateway.streams import http_client
from conformance.gateway.tokens import signed
from conformance.published import Published

Control = Callable[[], Awaitable[None]]

MANY: Final = 100
"""How many messages may be unacknowledged."""

PROBE_S: Final = 10.0
"""How long a first state may take to the gateway."""

READY_S: Final = 60.0
"""How long a gateway may take after a restart."""


@dataclass(frozen=True)
class Target:
    """A gateway. `controls` are what the operator can do, by their names: see steps.Control."""

    url: str
    publisher: "Publisher"
    published: Published
    secret: str = ""
    controls: Mapping[str, Control] = field(default_factory=dict)

    async def check(self) -> None:
        """Publish a state and wait for it. Raises LookupError with what to look at."""
        pillow = f"probe-{uuid4().hex[:10]}"
        state = {"pillow": pillow, "state": "neutral", "at": timestamp()}
        headers = {}
        if self.secret:
            token = signed({"exp": 300}, self.secret, int(time.time()))
            headers["Authorization"] = f"Bearer {token}"
        await self.publisher.state(pillow, json.dumps(state).encode())
        text = "nothing"
        try:
            async with asyncio.timeout(PROBE_S), http_client(PROBE_S) as client:
                while True:
                    response = await client.get(f"{self.url}/api/pillows/{pillow}", headers=headers)
                    if response.status_code == httpx.codes.OK:
                        return
                    text = f"status {response.status_code}: {response.text[:200]}"
                    await asyncio.sleep(0.05)
        except httpx.HTTPError as error:
            raise LookupError(f"no gateway answers at {self.url}: {error}") from None
        except TimeoutError:
            raise LookupError(
                f"a state that is published does not reach the gateway at {self.url} ({text}): is "
                "--mqtt its broker, may the user there write, and is --prefix its TOPIC_PREFIX?"
            ) from None

    async def wait_until_alive(self) -> None:
        """Wait until the gateway answers."""
        async with asyncio.timeout(READY_S), http_client(5.0) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"{self.url}/healthz")).status_code == httpx.codes.OK:
                        return
                await asyncio.sleep(0.05)


def timestamp(ago_s: float = 0) -> str:
    """Return the time of this clock, or an earlier one, as the `at` of a state."""
    moment = datetime.now(UTC) - timedelta(seconds=ago_s)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Publisher:
    """Publishes on the topics of pillows, retained and with QoS 1.

    A connection that the broker's restart has ended is made anew.
    """

    def __init__(self, url: str, prefix: str) -> None:
        self._url = url
        self._prefix = prefix
        self._written: set[str] = set()
        self._client: aiomqtt.Client | None = None
        self._lock = asyncio.Lock()

    async def state(self, pillow: str, payload: bytes) -> None:
        """Publish a state; an empty payload removes the pillow."""
        await self._publish(f"{self._prefix}/{pillow}/state", payload)

    async def states(self, pillow: str, payloads: Sequence[bytes]) -> None:
        """Publish many states in their order."""
        for first in range(0, len(payloads), MANY):
            await asyncio.gather(
                *(self.state(pillow, payload) for payload in payloads[first : first + MANY])
            )

    async def availability(self, pillow: str, value: str) -> None:
        """Publish `online` or `offline`."""
        await self._publish(f"{self._prefix}/{pillow}/availability", value.encode())

    async def open(self) -> aiomqtt.Client:
        """Connect. Raises aiomqtt.MqttError."""
        client = _client(self._url)
        client.pending_calls_threshold = 2 * MANY
        await client.__aenter__()
        self._client = client
        return client

    async def close(self) -> None:
        """Remove what was retained, and disconnect."""
        for topic in sorted(self._written):
            await self._publish(topic, b"")
        await self._disconnect()

    async def _publish(self, topic: str, payload: bytes) -> None:
        self._written.add(topic)
        client = self._client or await self.open()
        try:
            await client.publish(topic, payload, qos=1, retain=True)
        except aiomqtt.MqttError:
            async with self._lock:
                again = self._client
                if again is None or again is client:  # nobody else has connected meanwhile
                    await self._disconnect()
                    again = await self.open()
            await again.publish(topic, payload, qos=1, retain=True)

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)


def _client(url: str) -> aiomqtt.Client:
    parts = urlsplit(url)
    return aiomqtt.Client(
        parts.hostname or "localhost",
        parts.port or 1883,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


@asynccontextmanager
async def connect_publisher(url: str, prefix: str) -> AsyncIterator[Publisher]:
    """Connect to `mqtt://user:password@host:port`; removes in the end what it wrote."""
    publisher = Publisher(url, prefix)
    await publisher.open()
    try:
        yield publisher
    finally:
        with contextlib.suppress(aiomqtt.MqttError):
            await publisher.close()


def command(line: str) -> Control:
    """Return a control that runs a line of shell."""

    async def run() -> None:
        process = await asyncio.create_subprocess_shell(line)
        if await process.wait() != 0:
            raise RuntimeError(f"{line!r} ended with status {process.returncode}")

    return run
