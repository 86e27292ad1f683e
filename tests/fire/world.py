"""The system under fire: real mosquitto, real Azurite, the command `poller`, proxies in between.

A broker that dies may have forgotten what it had not saved, and pollers that live tell it again.
A state is lost for good only when the broker and all pollers that know it die at once, which no
client of a broker can prevent. So the acts follow one another: a broker is killed when every
poller that runs is connected, and none is killed before the broker has heard everything again.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from azure.storage.queue.aio import QueueClient

from devstack.broker import Broker
from tests.fire.cargo import DEFAULT_PILLOW, Cargo
from tests.fire.ledger import Order, Verdict, judge
from tests.fire.mqtt_proxy import MqttProxy
from tests.fire.putter import DEPTH, Putter
from tests.fire.queue_proxy import QueueProxy
from tests.fire.recorder import Recorder
from tests.fire.storage import DurableAzurite
from tests.poller import Poller, created_queue, receive_poison
from tests.waiting import until

WITHIN_S: Final = 60.0
"""How long anything but the whole may take on a busy machine."""

LEASE_S: Final = 2
"""The shortest there is: leases are to end while something hangs."""

MAX_ATTEMPTS: Final = 100
"""More than a message meets here: what is readable is to be published, not worn out."""


class World:
    """One queue, one broker, any number of pollers, and what is done to them."""

    def __init__(
        self,
        broker: Broker,
        azurite: DurableAzurite,
        queue_proxy: QueueProxy,
        mqtt_proxy: MqttProxy,
        recorder: Recorder,
        putter: Putter,
        markers: QueueClient,
        chance: random.Random,
        prefix: str,
        queue: str,
    ) -> None:
        self.broker = broker
        self.azurite = azurite
        self.queue_proxy = queue_proxy
        self.mqtt_proxy = mqtt_proxy
        self.recorder = recorder
        self.putter = putter
        self.pollers: dict[str, Poller] = {}
        self.acts: Counter[str] = Counter()
        self._markers = markers
        self._chance = chance
        self._prefix = prefix
        self._queue = queue

    # What is done to it

    async def join(self, name: str, *, protocol: str = "5") -> None:
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
            MQTT_URL=self.broker.url_for("poller").replace(
                f":{self.broker.port}", f":{self.mqtt_proxy.port}"
            ),
            MQTT_PROTOCOL=protocol,
            AZURE_STORAGE_CONNECTION_STRING=account,
            POLLER_VISIBILITY_TIMEOUT=str(LEASE_S),
            POLLER_MAX_ATTEMPTS=str(MAX_ATTEMPTS),
            POLLER_DEFAULT_PILLOW=DEFAULT_PILLOW,
            POLLER_POLL_MAX="0.5",
            # Else states that wait together may be superseded by one of the same order.
            POLLER_NEWEST_ONLY="false",
        )
        await poller.spawn()
        await self._ready()

    async def leave(self, name: str) -> None:
        """End a poller as an operator does, with SIGTERM."""
        self.acts["pollers stopped"] += 1
        await self.pollers.pop(name).stop()

    async def kill_pollers(self) -> None:
        """Kill one poller, or all at once, in the midst of their work; start them again."""
        everyone = list(self.pollers.values())
        victims = everyone if self._chance.random() < 0.3 else [self._chance.choice(everyone)]
        await self._amid()
        for victim in victims:
            self.acts["pollers killed"] += 1
            victim.kill()
        for victim in victims:
            await victim.wait()
            await victim.spawn()
        await self._ready()

    async def kill_broker(self) -> None:
        """Kill the broker in the midst of its work; start it again, and see that it is told all."""
        self.mqtt_proxy.faults.calm = True
        await until(
            lambda: not self.mqtt_proxy.troubled, "connections untroubled", within_s=WITHIN_S
        )
        await self._ready()
        await self._amid()
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
        await self._until_or(lambda: not self.recorder.behind(newest), most_s=WITHIN_S)
        behind = self.recorder.behind(newest)
        assert not behind, f"not told again within {WITHIN_S:g} s what the broker forgot: {behind}"
        self.mqtt_proxy.faults.calm = False

    async def kill_azurite(self) -> None:
        """Kill the queue in the midst of its draining; some of what was deleted comes back."""
        self.queue_proxy.opened.clear()
        begun = len(self.putter.puts)
        # So that there is something to drain: without a poller, it fills up.
        await self._until_or(lambda: len(self.putter.puts) >= begun + DEPTH, most_s=3.0)
        await self.putter.pause()
        await until(lambda: not self.queue_proxy.asking, "requests answered", within_s=WITHIN_S)
        marker = await self._markers.send_message("everything before this is saved")
        await self.azurite.until_saved(str(marker.id))
        self.queue_proxy.takes_letters.clear()
        self.queue_proxy.opened.set()
        await self._amid()
        self.acts["queues killed"] += 1
        await self.azurite.kill_when_whole()
        await self.azurite.start()
        self.queue_proxy.takes_letters.set()
        self.putter.resume()

    async def play(self, plan: Sequence[tuple[int, str]]) -> None:
        """Do each act when so many messages have been put; then put the rest."""
        for index, (milestone, act) in enumerate(plan):
            following = plan[index + 1][0] if index + 1 < len(plan) else milestone
            self.putter.limit = max(following, milestone + 2 * DEPTH)
            await until(
                lambda milestone=milestone: len(self.putter.puts) >= milestone,  # type: ignore[misc]
                f"{milestone} messages put before {act}",
                within_s=2 * WITHIN_S,
            )
            await self._do(act)
        self.putter.limit = 10**9

    async def _do(self, act: str) -> None:
        match act.split():
            case ["join", name]:
                await self.join(name)
            case ["leave", name]:
                await self.leave(name)
            case ["poller"]:
                await self.kill_pollers()
            case ["broker"]:
                await self.kill_broker()
            case ["queue"]:
                await self.kill_azurite()
            case _:
                raise ValueError(f"no act: {act!r}")

    def enrage(self) -> None:
        """Let the proxies' faults begin."""
        self.queue_proxy.faults.calm = self.mqtt_proxy.faults.calm = False

    # What is seen of it

    async def come_to_rest(self, client: QueueClient) -> None:
        """End all faults; wait until the queue is empty and nobody has anything in hand."""
        self.queue_proxy.faults.calm = self.mqtt_proxy.faults.calm = True
        await self._ready()
        deadline = time.monotonic() + 2 * WITHIN_S
        while not await self._rests(client):
            assert time.monotonic() < deadline, (
                f"not at rest: {(await client.get_queue_properties()).approximate_message_count} "
                f"messages on the queue; {[one.log.tail() for one in self.pollers.values()]}"
            )
            await asyncio.sleep(0.1)

    async def _rests(self, client: QueueClient) -> bool:
        if (await client.get_queue_properties()).approximate_message_count:
            return False
        said = [(await poller.get("/metrics")).text for poller in self.pollers.values()]
        return all("pillowcast_poller_in_hand 0.0" in text for text in said)

    async def judge(self) -> Verdict:
        """Say how every message that was put has ended."""
        letters = await receive_poison(self.azurite, self._queue)
        return judge(self.putter.puts, self.recorder.heard, letters)

    async def retained(self, expected: dict[str, Order]) -> dict[str, Order]:
        """Return the order of what is retained of each pillow, as soon as it is as expected."""
        deadline = time.monotonic() + WITHIN_S / 2
        while True:
            reader = Recorder(self.broker.port, self._prefix)
            await reader.connect()
            try:
                await self._until_or(
                    lambda reader=reader: len(reader.heard) >= len(expected),  # type: ignore[misc]
                    most_s=10,
                )
            finally:
                reader.close()
                await reader.drained()
            found = {pillow: said[0].order for pillow, said in reader.heard.items()}
            if found == expected or time.monotonic() > deadline:
                return found

    def check_pollers(self) -> None:
        """Hold that no poller has ended by itself or told of a bug."""
        for name, poller in self.pollers.items():
            assert not poller.ended_by_itself, f"{name}: {poller.describe_end()}"
            lines = poller.log.lines
            traces = [index for index, line in enumerate(lines) if "Traceback" in line]
            shown = lines[max(0, traces[0] - 5) : traces[0] + 60] if traces else []
            assert not traces, f"{name}: {len(traces)} tracebacks:\n" + "\n".join(shown)

    def logged(self, message_ids: Sequence[str]) -> list[str]:
        """Return what pollers that run have logged of messages: for people, no evidence."""
        return [
            f"{name}: {line}"
            for name, poller in self.pollers.items()
            for line in poller.log.lines
            if any(one in line for one in message_ids)
        ]

    # How it waits

    async def _ready(self) -> None:
        for poller in self.pollers.values():
            await poller.until_ready(within_s=WITHIN_S)

    async def _amid(self) -> None:
        """Let some messages pass, so that what comes next comes in the midst of others."""
        until_live = self.recorder.live + self._chance.randint(1, 150)
        await self._until_or(lambda: self.recorder.live >= until_live, most_s=2.0)

    async def _until_or(self, condition: Callable[[], bool], *, most_s: float) -> None:
        """Wait for a condition that need not become so."""
        with contextlib.suppress(AssertionError):
            await until(condition, "", within_s=most_s)


@asynccontextmanager
async def burning(
    folder: Path, prefix: str, queue: str, seed: int, cargo: Sequence[Cargo]
) -> AsyncIterator[tuple[World, QueueClient]]:
    """A world in which everything runs but pollers; all of it ends with the context."""
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(Broker(kind="mosquitto", topic_prefix=prefix))
        azurite = await stack.enter_async_context(DurableAzurite(folder))
        client = await stack.enter_async_context(created_queue(azurite, queue))
        markers = await stack.enter_async_context(created_queue(azurite, f"{queue}-markers"))
        queue_proxy = await stack.enter_async_context(
            QueueProxy(azurite.port, random.Random(f"{seed} queue"))
        )
        mqtt_proxy = await stack.enter_async_context(
            MqttProxy(broker.port, random.Random(f"{seed} mqtt"))
        )
        recorder = Recorder(broker.port, prefix)
        await recorder.connect()
        stack.callback(recorder.close)
        mqtt_proxy.opened = True
        world = World(
            broker,
            azurite,
            queue_proxy,
            mqtt_proxy,
            recorder,
            Putter(client, cargo),
            markers,
            random.Random(f"{seed} acts"),
            prefix,
            queue,
        )
        try:
            yield world, client
        finally:
            azurite.resume()
            for poller in world.pollers.values():
                poller.kill()
                await poller.wait()
        assert queue_proxy.errors == mqtt_proxy.errors == []
