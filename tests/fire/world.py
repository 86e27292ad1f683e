"""The system under fire: mosquitto, Azurite, the command `poller`, and proxies between them.

A killed broker forgets what it has not saved, and the running pollers publish it again.
Without a journal a state is lost if the broker and every poller that knows it die at once. So the
acts follow one another: a broker is killed when every running poller is connected, and no poller is
killed before the broker has every state again. With a journal they are killed together, a gateway
too, which is `cut_power`.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import httpx
from azure.storage.queue.aio import QueueClient

from contract.timestamps import parse_timestamp
from devstack.broker import Broker
from tests.fire.audit import AuditResult, Order, audit
from tests.fire.durable_azurite import DurableAzurite
from tests.fire.messages import DEFAULT_PILLOW
from tests.fire.mqtt_proxy import MqttProxy
from tests.fire.producer import DEPTH, Producer
from tests.fire.queue_proxy import QueueProxy
from tests.fire.recorder import Recorder
from tests.gateway import Gateway
from tests.poller import Poller, receive_poison
from tests.waiting import eventually, until

WITHIN_S: Final = 60.0
"""How long any step may take on a busy machine, in seconds."""

LEASE_S: Final = 2
"""The shortest lease that is allowed, so that leases end during a stall."""

MAX_ATTEMPTS: Final = 100
"""More attempts than a message has here, so that no valid message is dead-lettered."""


class World:
    """One queue, one broker, any number of pollers, and the acts on them."""

    def __init__(
        self,
        broker: Broker,
        azurite: DurableAzurite,
        queue_proxy: QueueProxy,
        mqtt_proxy: MqttProxy,
        recorder: Recorder,
        producer: Producer,
        markers: QueueClient,
        rng: random.Random,
        prefix: str,
        queue: str,
        journal: Path | None = None,
    ) -> None:
        self.broker = broker
        self.azurite = azurite
        self.queue_proxy = queue_proxy
        self.mqtt_proxy = mqtt_proxy
        self.recorder = recorder
        self.producer = producer
        self.pollers: dict[str, Poller] = {}
        self.gateway: Gateway | None = None
        """Where there is one, it is killed with the rest, and has to show the newest states."""
        self.takeover_s = 2.0
        """After how long a silent poller is replaced; 0 where all of them receive."""
        self.acts: Counter[str] = Counter()
        self._markers = markers
        self._rng = rng
        self._prefix = prefix
        self._queue = queue
        self._journal = journal

    # Acts

    async def start_poller(self, name: str, *, protocol: str = "5") -> None:
        """Start one more poller."""
        self.acts["pollers started"] += 1
        account = self.azurite.connection_string.replace(
            f":{self.azurite.port}/", f":{self.queue_proxy.port}/"
        )
        poller = self.pollers[name] = Poller(
            self._queue,
            self._prefix,
            self.broker,
            INSTANCE=name,
            MQTT_URL=self.broker.url_for("poller", port=self.mqtt_proxy.port),
            MQTT_PROTOCOL=protocol,
            AZURE_STORAGE_CONNECTION_STRING=account,
            POLLER_VISIBILITY_TIMEOUT=str(LEASE_S),
            POLLER_MAX_ATTEMPTS=str(MAX_ATTEMPTS),
            POLLER_DEFAULT_PILLOW=DEFAULT_PILLOW,
            POLLER_POLL_MAX="0.5",
            # Otherwise waiting states could be superseded by one of the same order.
            POLLER_NEWEST_ONLY="false",
            POLLER_TAKEOVER_AFTER=f"{self.takeover_s:g}",
            POLLER_JOURNAL=str(self._journal or ""),
        )
        await poller.spawn()
        await self._ready()

    async def stop_poller(self, name: str) -> None:
        """Stop a poller with SIGTERM, as an operator does."""
        self.acts["pollers stopped"] += 1
        await self.pollers.pop(name).stop()

    async def kill_pollers(self) -> None:
        """Kill one poller or all at once while messages pass, and start them again."""
        running = list(self.pollers.values())
        victims = running if self._rng.random() < 0.3 else [self._rng.choice(running)]
        await self._let_some_pass()
        for victim in victims:
            self.acts["pollers killed"] += 1
            victim.kill()
        for victim in victims:
            await victim.wait()
            await victim.spawn()
        await self._ready()

    async def kill_broker(self) -> None:
        """Kill the broker while messages pass; wait until the new one has every state."""
        self.mqtt_proxy.faults.paused = True
        await until(
            lambda: not self.mqtt_proxy.active_faults,
            "no fault",
            within_s=WITHIN_S,
        )
        await self._ready()
        await self._let_some_pass()
        self.acts["brokers killed"] += 1
        self.mqtt_proxy.opened = False
        self.broker.kill()
        await self.broker.wait()
        await self.recorder.drained()
        newest = self.recorder.newest()
        await self.broker.start()
        await self.recorder.connect()
        self.mqtt_proxy.opened = True
        await self._ready()
        await self._until_or(lambda: not self.recorder.behind(newest), at_most_s=WITHIN_S)
        behind = self.recorder.behind(newest)
        assert not behind, f"not published again within {WITHIN_S:g} s: {behind}"
        self.mqtt_proxy.faults.paused = False

    async def cut_power(self) -> None:
        """Kill everything but the queue at once, up to three times in a row, at any moment."""
        for last in reversed(range(self._rng.choice((1, 1, 2, 3)))):
            await self._let_some_pass()
            self.acts["power cuts"] += 1
            self.mqtt_proxy.opened = False
            programs = [self.broker, *self.pollers.values()]
            programs += [self.gateway] if self.gateway is not None else []
            for program in programs:
                program.kill()
            for program in programs:
                await program.wait()
            await self.recorder.drained()
            await self.broker.start()
            await self.recorder.connect()
            self.mqtt_proxy.opened = True
            for program in programs[1:]:
                await program.spawn()
            if last:
                await asyncio.sleep(self._rng.random() * 1.5)
        await self._ready()

    async def kill_azurite(self) -> None:
        """Kill the queue while it is drained; some deleted messages return."""
        self.queue_proxy.opened.clear()
        begun = len(self.producer.puts)
        # Without a poller the queue fills, so that there are messages to drain.
        await self._until_or(lambda: len(self.producer.puts) >= begun + DEPTH, at_most_s=3.0)
        await self.producer.pause()
        await until(lambda: not self.queue_proxy.pending, "requests answered", within_s=WITHIN_S)
        marker = await self._markers.send_message("everything before this is saved")
        await self.azurite.until_saved(str(marker.id))
        self.queue_proxy.puts_allowed.clear()
        self.queue_proxy.opened.set()
        await self._let_some_pass()
        self.acts["queues killed"] += 1
        await self.azurite.kill_when_consistent()
        await self.azurite.start()
        self.queue_proxy.puts_allowed.set()
        self.producer.resume()

    async def play(self, plan: Sequence[tuple[int, str]]) -> None:
        """Do each act when its number of messages has been put; then put the rest."""
        for index, (milestone, act) in enumerate(plan):
            following = plan[index + 1][0] if index + 1 < len(plan) else milestone
            self.producer.limit = max(following, milestone + 2 * DEPTH)
            await until(
                lambda milestone=milestone: len(self.producer.puts) >= milestone,  # type: ignore[misc]
                f"{milestone} messages put before {act}",
                within_s=2 * WITHIN_S,
            )
            await self._do(act)
        self.producer.limit = 10**9

    async def _do(self, act: str) -> None:
        match act.split():
            case ["join", name]:
                await self.start_poller(name)
            case ["leave", name]:
                await self.stop_poller(name)
            case ["poller"]:
                await self.kill_pollers()
            case ["broker"]:
                await self.kill_broker()
            case ["power"]:
                await self.cut_power()
            case ["queue"]:
                await self.kill_azurite()
            case _:
                raise ValueError(f"unknown act: {act!r}")

    def start_faults(self) -> None:
        """Start the faults of the proxies."""
        self.queue_proxy.faults.paused = self.mqtt_proxy.faults.paused = False

    # Results

    async def wait_idle(self, client: QueueClient) -> None:
        """Pause all faults; wait until the queue is empty and no message is in flight."""
        self.queue_proxy.faults.paused = self.mqtt_proxy.faults.paused = True
        await self._ready()
        deadline = time.monotonic() + 2 * WITHIN_S
        while not await self._is_idle(client):
            assert time.monotonic() < deadline, (
                f"not idle: {(await client.get_queue_properties()).approximate_message_count} "
                f"messages on the queue; {[one.log.tail() for one in self.pollers.values()]}"
            )
            await asyncio.sleep(0.1)

    async def _is_idle(self, client: QueueClient) -> bool:
        if (await client.get_queue_properties()).approximate_message_count:
            return False
        metrics = [(await poller.get("/metrics")).text for poller in self.pollers.values()]
        return all("pillowcast_poller_in_flight 0.0" in text for text in metrics)

    async def audit(self) -> AuditResult:
        """Return the outcome of every message that was put."""
        letters = await receive_poison(self.azurite, self._queue)
        return audit(self.producer.puts, self.recorder.received, letters)

    async def retained(self, expected: dict[str, Order]) -> dict[str, Order]:
        """Return the order of each retained state, as soon as they are as expected."""
        deadline = time.monotonic() + WITHIN_S / 2
        while True:
            reader = Recorder(self.broker.port, self._prefix)
            await reader.connect()
            try:
                await self._until_or(
                    lambda reader=reader: len(reader.received) >= len(expected),  # type: ignore[misc]
                    at_most_s=10,
                )
            finally:
                reader.close()
                await reader.drained()
            found = {pillow: states[0].order for pillow, states in reader.received.items()}
            if found == expected or time.monotonic() > deadline:
                return found

    async def shown(self, expected: dict[str, Order]) -> dict[str, Order]:
        """Return the order of each state that the gateway shows, once they are as expected."""
        assert self.gateway is not None
        await self.gateway.until_ready(within_s=WITHIN_S)
        deadline = time.monotonic() + WITHIN_S / 2
        async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
            while True:
                pillows = (await client.get(f"{self.gateway.url}/api/pillows")).json()["pillows"]
                found = {
                    one["pillow"]: (parse_timestamp(one["at"]) or 0, one.get("seq", 0))
                    for one in pillows
                }
                if found == expected or time.monotonic() > deadline:
                    return found
                await asyncio.sleep(0.1)

    def check_pollers(self) -> None:
        """Assert that no poller has ended by itself or logged a traceback."""
        for name, poller in self.pollers.items():
            assert not poller.ended_by_itself, f"{name}: {poller.describe_end()}"
            lines = poller.log.lines
            traces = [index for index, line in enumerate(lines) if "Traceback" in line]
            shown = lines[max(0, traces[0] - 5) : traces[0] + 60] if traces else []
            assert not traces, f"{name}: {len(traces)} tracebacks:\n" + "\n".join(shown)

    def logged(self, message_ids: Sequence[str]) -> list[str]:
        """Return the log lines of running pollers about messages, for the reader of a failure."""
        return [
            f"{name}: {line}"
            for name, poller in self.pollers.items()
            for line in poller.log.lines
            if any(one in line for one in message_ids)
        ]

    # Waiting

    async def _ready(self) -> None:
        """Wait until each poller has its broker.

        It need not be ready as a whole, because the faults of the proxy begin anew before an outage
        of the queue counts as over.
        """
        for name, poller in self.pollers.items():
            await eventually(partial(_has_broker, poller), f"a broker of {name}", within_s=WITHIN_S)

    async def _let_some_pass(self) -> None:
        """Wait until some more messages have passed, so that an act falls among messages."""
        until_live = self.recorder.live + self._rng.randint(1, 150)
        await self._until_or(lambda: self.recorder.live >= until_live, at_most_s=2.0)

    async def _until_or(self, condition: Callable[[], bool], *, at_most_s: float) -> None:
        """Wait for a condition, at most `at_most_s` seconds."""
        with contextlib.suppress(AssertionError):
            await until(condition, "", within_s=at_most_s)


async def _has_broker(poller: Poller) -> bool:
    assert not poller.ended_by_itself, poller.describe_end()
    try:
        answer = await poller.get("/readyz")
    except httpx.HTTPError:
        return False
    dependencies: dict[str, str] = answer.json()["dependencies"]
    return dependencies["mqtt"].startswith("ok")
