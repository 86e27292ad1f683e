"""A world for tests: a queue, a broker and pollers between them, and their invariants."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from prometheus_client.samples import Sample

from contract.home_assistant import DiscoveryTopics
from contract.messages import ParsedMessage, decode_message
from contract.timestamps import format_timestamp
from contract.topics import Topics
from poller.composition import Pipeline, PipelineOptions, compose
from poller.consume.classify import ClassificationRules
from poller.consume.polling import PollPolicy
from poller.metrics import PollerMetrics
from poller.presence.parts import PresenceOptions
from poller.publish.journaled_writes import StateJournal
from poller.queue_time import QueueTime
from tests.fakes.broker import BrokerServer, FakeBroker
from tests.fakes.calls import Calls, Fault
from tests.fakes.queue import EPOCH_S, FakeQueue, Message, QueueServer
from tests.fakes.virtual_time import now

POLICY = PollPolicy(floor_s=0.1, ceiling_s=2.0, hot_s=5.0, watched_s=0.1, unknown_s=2.0)

TOPICS = Topics("pillow")
DISCOVERY_TOPICS = DiscoveryTopics("homeassistant", TOPICS)

Latency = Callable[[], float]


def state(pillow: str, at_s: float, *, seq: int = 0, word: str = "hugging") -> str:
    """Return the text of a message: the state of `pillow`, `at_s` seconds after the epoch."""
    at = format_timestamp(int((EPOCH_S + at_s) * 1_000_000))
    return f'{{"pillow":"{pillow}","state":"{word}","at":"{at}","seq":{seq}}}'


def order(at_s: float, seq: int = 0) -> tuple[int, int]:
    """Return the order of such a state among those of its pillow."""
    return int((EPOCH_S + at_s) * 1_000_000), seq


class Process:
    """One poller: its pipeline, its metrics, and the ways in which it ends."""

    def __init__(
        self, pipeline: Pipeline, metrics: PollerMetrics, queue: FakeQueue, broker: FakeBroker
    ) -> None:
        self.pipeline = pipeline
        self.listener = pipeline.listener
        self.metrics = metrics
        self.queue = queue
        self.broker = broker
        self.calls = queue.calls
        self.stopping = asyncio.Event()
        self.running = asyncio.create_task(pipeline.worker.run(self.stopping))

    def count(self, name: str, **labels: str) -> int:
        """Return the value of a counter, summed over the labels that are not given."""
        return sum(
            int(sample.value)
            for sample in self._samples(f"pillowcast_poller_{name}_total")
            if labels.items() <= sample.labels.items()
        )

    @property
    def queue_state(self) -> str:
        """What readiness reports of the queue."""
        return self.pipeline.queue_state()

    @property
    def broker_state(self) -> str:
        """What readiness reports of the broker's refusals."""
        return self.pipeline.broker_state()

    @property
    def in_flight(self) -> int:
        """The number of messages in flight."""
        return len(self.pipeline.in_flight)

    def check_counts(self) -> None:
        """Assert that every delivery is counted once, or is in flight and not settled."""
        (gauge,) = self._samples("pillowcast_poller_in_flight")
        assert int(gauge.value) == self.in_flight
        received, *settled = (
            self.count(name)
            for name in ("received", "published", "superseded", "dead_lettered", "retried")
        )
        unsettled = self.pipeline.in_flight.unsettled
        assert received == sum(settled) + unsettled, (received, settled, unsettled)

    def _samples(self, name: str) -> list[Sample]:
        # Only this metric is collected, because a world asks thousands of times.
        collected = self.metrics.registry.restricted_registry([name]).collect()
        return [sample for metric in collected for sample in metric.samples]

    async def stop(self, *, within_s: float = 10.0) -> None:
        """Stop it, as SIGTERM does, and wait until it has ended."""
        self.stopping.set()
        async with asyncio.timeout(within_s):
            await self.running
        self.broker.close()

    async def crash(self) -> None:
        """End it at once, as SIGKILL does: nothing that it still does has an effect."""
        self.calls.crash()
        self.running.cancel()
        await asyncio.wait((self.running,))
        self.broker.close()


class World:
    """The servers, and every process that was started."""

    def __init__(self, *, visibility_s: float = 30.0, max_attempts: int = 5) -> None:
        self.visibility_s = visibility_s
        self.max_attempts = max_attempts
        self.broker = BrokerServer()
        self.queue = QueueServer(self._check_deletion)
        self.processes: list[Process] = []
        self.wrongly_deleted: list[str] = []

    def start(
        self,
        plan: Mapping[int, Fault] | None = None,
        *,
        fault: Callable[[str], Fault | None] = lambda _operation: None,
        queue_latency_s: Latency = lambda: 0.01,
        queue_wait_s: Latency = lambda: 0.0,
        broker_latency_s: Latency = lambda: 0.005,
        connected: bool = True,
        reconnect_s: float | None = 1.0,
        unnoticed_s: float = 0.0,
        loop_back: bool = False,
        newest_only: bool = False,
        max_pillows: int = 100_000,
        clock_ahead_s: float = 0.0,
        journal: StateJournal | None = None,
        policy: PollPolicy = POLICY,
        takeover_s: float | None = None,
        offline_after_s: float = 0.0,
        discovery_max_pillows: int | None = None,
    ) -> Process:
        """Start a poller whose calls fail as `plan` and `fault` say.

        Its wall clock is `clock_ahead_s` ahead of the queue's.
        """
        calls = Calls(plan, fault=fault)
        queue_time = QueueTime(
            wall_ms=lambda: int((EPOCH_S + clock_ahead_s + now()) * 1000), monotonic_s=now
        )
        queue = FakeQueue(
            self.queue,
            calls,
            visibility_s=self.visibility_s,
            latency_s=queue_latency_s,
            wait_s=queue_wait_s,
            on_answer=queue_time.observe,
        )
        broker = FakeBroker(
            self.broker,
            calls,
            latency_s=broker_latency_s,
            reconnect_s=reconnect_s,
            unnoticed_s=unnoticed_s,
            loop_back=loop_back,
        )
        metrics = PollerMetrics()
        options = PipelineOptions(
            ClassificationRules("cloud", self.max_attempts),
            policy,
            self.visibility_s,
            newest_only,
            max_pillows,
            presence=PresenceOptions(
                TOPICS,
                offline_after_s,
                max_pillows,
                None if discovery_max_pillows is None else DISCOVERY_TOPICS,
                discovery_max_pillows or 0,
            ),
            instance=f"poller-{len(self.processes)}",
            takeover_s=takeover_s,
        )
        pipeline = compose(queue, broker, metrics, options, queue_time, journal)
        broker.listener, broker.pollers = pipeline.listener, pipeline.elector
        broker.observers = pipeline.observers
        process = Process(pipeline, metrics, queue, broker)
        self.processes.append(process)
        if connected:
            asyncio.get_running_loop().call_soon(broker.connect)
        return process

    @asynccontextmanager
    async def running(self, process: Process | None = None) -> AsyncIterator[Process]:
        """Run a poller; at the end it is stopped and the invariants are checked."""
        process = process or self.start()
        try:
            yield process
            if not process.running.done():
                await process.stop()
        finally:
            if not process.running.done():
                await process.crash()
        self.check()

    async def stop(self) -> None:
        """Stop every process that was not ended, and check the invariants."""
        for process in self.processes:
            if process.broker in self.broker.sessions:
                await process.stop()
        self.check()

    async def until(
        self,
        condition: Callable[[], bool],
        what: str,
        *,
        within_s: float = 600.0,
        step_s: float = 0.005,
    ) -> None:
        """Wait in virtual time until a condition holds."""
        deadline, steps = now() + within_s, 0
        while not condition():
            assert now() < deadline, f"not within {within_s:g} s: {what}"
            steps += 1
            for process in self.processes:
                if process.running.done() and not process.running.cancelled():
                    process.running.result()
                # Not at every step, because collecting five metrics takes most of a step's time.
                if steps % 20 == 0:
                    process.check_counts()
            await asyncio.sleep(step_s)

    async def rest(self, *, within_s: float = 600.0) -> None:
        """Wait until the queue is empty and no message is in flight."""
        alive = [one for one in self.processes if not one.running.done()]
        await self.until(
            lambda: not self.queue.messages and not any(one.in_flight for one in alive),
            f"rest, with {len(self.queue.messages)} messages left",
            within_s=within_s,
            step_s=0.2,
        )

    def confirm_again(self) -> None:
        """Confirm publishes from now on; a lost connection makes the pollers send them again."""
        self.broker.never_confirms = lambda _update: False
        self.broker.disconnect_all()

    def check(self) -> None:
        """Assert what holds at any moment, whatever failed before."""
        assert self.wrongly_deleted == [], "deleted without a confirmation"
        assert self.broker.out_of_order == [], "an older state was sent after a newer one"
        copied = [self.queue.texts[name] for name in self.queue.poisoned_ids]
        assert self.queue.poison == copied, "a poison copy is not byte for byte"
        for process in self.processes:
            assert process.queue.renewed_while_deleted == []
            if not process.calls.crashed.is_set():
                process.check_counts()

    def check_newest(self) -> None:
        """Assert, at rest, that the broker has the newest published state of each pillow."""
        newest: dict[str, tuple[int, int]] = {}
        for name in self.queue.texts:
            parsed = self._parse(name)
            if isinstance(parsed, ParsedMessage) and name not in self.queue.poisoned_ids:
                newest[parsed.pillow] = max(newest.get(parsed.pillow, parsed.order), parsed.order)
        for update in self.broker.accepted:
            newest[update.pillow] = max(newest.get(update.pillow, update.order), update.order)
        assert {one.pillow: one.order for one in self.broker.retained.values()} == newest

    def _check_deletion(self, message: Message) -> None:
        parsed = self._parse(message.id)
        confirmed = (
            isinstance(parsed, ParsedMessage)
            and parsed.pillow in self.broker.known
            and self.broker.known[parsed.pillow] >= parsed.order
        )
        if not confirmed and message.id not in self.queue.poisoned_ids:
            self.wrongly_deleted.append(message.text)

    def _parse(self, name: str) -> object:
        return decode_message(
            self.queue.texts[name], default_pillow="cloud", queued_us=self.queue.queued_us[name]
        )
