"""The fixture of a run: a gateway on a broker, and pillows whose states change at a rate."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final
from uuid import uuid4

import aiomqtt

from contract.states import STATES
from devstack import ports
from devstack.broker import Broker
from devstack.probes import http_answers
from devstack.processes import ROOT, Program

_STEP_S: Final = 0.02
"""Interval at which due changes are published, so that they do not arrive all at once."""

_GESTURES: Final = tuple(name for name in STATES if name != "notconnected")
_SAMPLES: Final = [[0.6, 0.1, 1.2], [-0.7, 0.2, 0.8], [0.2, -0.3, 1.1], [0.0, 0.0, 1.0]]


@dataclass
class Fixture:
    """A gateway and a publisher of its pillows."""

    url: str
    _client: aiomqtt.Client
    _prefix: str

    async def publish(self, number: int, name: str, *, with_motion: bool = False) -> None:
        """Publish the state of one pillow."""
        state: dict[str, object] = {
            "pillow": f"cloud-{number}",
            "state": name,
            "at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "battery": 0.5,
        }
        if with_motion:
            state["motion"] = _SAMPLES
        topic = f"{self._prefix}/cloud-{number}/state"
        await self._client.publish(topic, json.dumps(state), qos=1, retain=True)

    async def fill(self, count: int) -> None:
        """Publish the first state of every pillow."""
        for first in range(1, count + 1, 200):
            numbers = range(first, min(first + 200, count + 1))
            await asyncio.gather(*(self.publish(n, _GESTURES[n % len(_GESTURES)]) for n in numbers))

    async def keep_changing(self, count: int, rate: float) -> None:
        """Change one pillow after the other, each to another state, `rate` a second."""
        start, published = time.monotonic(), 0
        while True:
            await asyncio.sleep(_STEP_S)
            due = int((time.monotonic() - start) * rate)
            await asyncio.gather(*map(partial(self._change, count), range(published, due)))
            published = due

    async def _change(self, count: int, number: int) -> None:
        # Every state follows every other, and one in five has accelerometer samples.
        name = _GESTURES[(number + number // count) % len(_GESTURES)]
        await self.publish(number * 7 % count + 1, name, with_motion=number % 5 == 0)

    @contextlib.asynccontextmanager
    async def changing(self, count: int, rate: float) -> AsyncIterator[None]:
        """Change states in the background while the context is open."""
        if rate == 0:
            yield
            return
        task = asyncio.create_task(self.keep_changing(count, rate))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@contextlib.asynccontextmanager
async def run_fixture(broker: Broker, count: int) -> AsyncIterator[Fixture]:
    """Run a gateway on a free port with its own topic prefix and `count` pillows."""
    prefix, port, ops_port = f"b{uuid4().hex[:12]}", ports.free(), ports.free()
    gateway = Program(
        "gateway",
        [ROOT / ".venv" / "bin" / "gateway"],
        ready=partial(http_answers, ports.HOST, ops_port, "/readyz", status=200),
        env={
            **{name: None for name in os.environ if name.startswith(("GATEWAY_", "MQTT_"))},
            "MQTT_URL": broker.url_for("gateway"),
            "TOPIC_PREFIX": prefix,
            "INSTANCE": f"i{uuid4().hex[:12]}",
            "GATEWAY_HOST": ports.HOST,
            "GATEWAY_PORT": str(port),
            "GATEWAY_OPS_PORT": str(ops_port),
            "GATEWAY_EXPIRE_AFTER": "3600",
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "warning",
        },
    )
    publisher = aiomqtt.Client(
        ports.HOST,
        broker.port,
        username="simulator",
        password=broker.password("simulator"),
        max_inflight_messages=500,
        max_queued_outgoing_messages=0,
    )
    publisher.pending_calls_threshold = 1000
    async with gateway, publisher:
        fixture = Fixture(f"http://{ports.HOST}:{port}", publisher, prefix)
        await fixture.fill(count)
        yield fixture
