"""A queue, a broker and workers between them, and what must be true of the three at all times."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from prometheus_client.samples import Sample

from contract.messages import ParsedMessage, decode_message
from contract.timestamps import format_timestamp
from poller.consume.polling import Policy
from poller.metrics import PollerMetrics
from poller.worker import Worker
from tests.fakes.broker import BrokerServer, FakeBroker
from tests.fakes.calls import Calls, Fault
from tests.fakes.queue import EPOCH_S, FakeQueue, Message, QueueServer

POLICY = Policy(floor_s=0.1, ceiling_s=2.0, hot_s=5.0)

Latency = Callable[[], float]


def state(pillow: str, at_s: float, *, seq: int = 0, word: str = "hugging") -> str:
    """A message's text: `pillow` was in a state `at_s` seconds after the beginning."""
    at = format_timestamp(int((EPOCH_S + at_s) * 1_000_000))
    return f'{{"pillow":"{pillow}","state":"{word}","at":"{at}","seq":{seq}}}'


def order(at_s: float, seq: int = 0) -> tuple[int, int]:
    """Where such a state stands among those of its pillow."""
    return int((EPOCH_S + at_s) * 1_000_000), seq


class Process:
    """One poller: a worker, its books, and the ways it can end."""

    def __init__(
        self, worker: Worker, metrics: PollerMetrics, queue: FakeQueue, broker: FakeBroker
    ) -> None:
        self.worker = worker
        self.metrics = metrics
        self.queue = queue
        self.broker = broker
        self.calls = queue.calls
        self.stopping = asyncio.Event()
        self.most_in_hand = 0
        self.running = asyncio.create_task(worker.run(self.stopping))

    def count(self, name: str, **labels: str) -> int:
        """What a counter says; over all its labels where none is given."""
        return sum(
            int(sample.value)
            for sample in self._samples(f"pillowcast_poller_{name}_total")
            if labels.items() <= sample.labels.items()
        )

    @property
    def in_hand(self) -> int:
        """How many messages it has and has not ended."""
        (sample,) = self._samples("pillowcast_poller_in_hand")
        return int(sample.value)

    def _samples(self, name: str) -> list[Sample]:
        # Of this metric only: a world asks thousands of times.
        collected = self.metrics.registry.restricted_registry([name]).collect()
        return [sample for metric in collected for sample in metric.samples]

    async def stop(self, *, within_s: float = 10.0) -> None:
        """Ask it to end, as SIGTERM does, and wait until it has."""
        self.stopping.set()
        async with asyncio.timeout(within_s):
            await self.running
        self.broker.close()

    async def crash(self) -> None:
        """End it where it stands, as SIGKILL does: nothing it does has an effect any more."""
        self.calls.crash()
        self.running.cancel()
        await asyncio.wait((self.running,))
        self.broker.close()


class World:
    """The servers, and every process there has been."""

    def __init__(self, *, visibility_s: float = 30.0, max_attempts: int = 5) -> None:
        self.visibility_s = visibility_s
        self.max_attempts = max_attempts
        self.broker = BrokerServer()
        self.queue = QueueServer(self._look_at_deletion)
        self.processes: list[Process] = []
        self.wrongly_deleted: list[str] = []

    def start(
        self,
        plan: Mapping[int, Fault] | None = None,
        *,
        fault: Callable[[str], Fault | None] = lambda _act: None,
        queue_latency_s: Latency = lambda: 0.01,
        broker_latency_s: Latency = lambda: 0.005,
        connected: bool = True,
        away_s: float | None = 1.0,
        unnoticed_s: float = 0.0,
        echoes: bool = False,
        newest_only: bool = False,
    ) -> Process:
        """Start a poller whose calls go wrong as `plan` and `fault` say."""
        calls = Calls(plan, fault=fault)
        queue = FakeQueue(
            self.queue, calls, visibility_s=self.visibility_s, latency_s=queue_latency_s
        )
        broker = FakeBroker(
            self.broker,
            calls,
            latency_s=broker_latency_s,
            away_s=away_s,
            unnoticed_s=unnoticed_s,
            echoes=echoes,
        )
        metrics = PollerMetrics()
        worker = Worker(
            queue,
            broker,
            metrics,
            POLICY,
            default_pillow="cloud",
            max_attempts=self.max_attempts,
            visibility_s=self.visibility_s,
            newest_only=newest_only,
            clock_ms=lambda: int((EPOCH_S + asyncio.get_running_loop().time()) * 1000),
        )
        broker.listener = worker
        process = Process(worker, metrics, queue, broker)
        self.processes.append(process)
        if connected:
            asyncio.get_running_loop().call_soon(broker.connect)
        return process

    @asynccontextmanager
    async def running(self, process: Process | None = None) -> AsyncIterator[Process]:
        """Have a poller for a while; at the end it is stopped and everything is checked."""
        process = process or self.start()
        try:
            yield process
            if not process.running.done():
                await process.stop()
        finally:
            if not process.running.done():
                await process.crash()
        self.check()

    async def until(
        self,
        condition: Callable[[], bool],
        what: str,
        *,
        within_s: float = 600.0,
        step_s: float = 0.005,
    ) -> None:
        """Let (virtual) time pass until something is so."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while not condition():
            assert loop.time() < deadline, f"not within {within_s:g} s: {what}"
            for process in self.processes:
                if process.running.done() and not process.running.cancelled():
                    process.running.result()
            await asyncio.sleep(step_s)

    async def rest(self, *, within_s: float = 600.0) -> None:
        """Wait until the queue is empty and nobody has anything in hand."""
        alive = [one for one in self.processes if not one.running.done()]
        await self.until(
            lambda: not self.queue.messages and not any(one.in_hand for one in alive),
            f"rest, with {len(self.queue.messages)} left",
            within_s=within_s,
            step_s=0.2,
        )

    def check(self) -> None:
        """Hold the past to what must be true of it whatever happened."""
        assert self.wrongly_deleted == [], "deleted without a confirmation"
        assert self.broker.out_of_order == [], "an older state sent after a newer one"
        kept = [self.queue.texts[name] for name in self.queue.poisoned_ids]
        assert self.queue.poison == kept, "a poison copy is not word for word"
        for process in self.processes:
            assert process.queue.renewed_while_deleted == []
            if not process.calls.crashed.is_set():
                books = {
                    name: process.count(name)
                    for name in ("received", "published", "superseded", "dead_lettered", "retried")
                }
                ended = sum(books.values()) - books["received"] + process.in_hand
                assert books["received"] == ended, books

    def check_last_writes(self) -> None:
        """At rest the broker has the newest state of each pillow of all that were published."""
        newest: dict[str, tuple[int, int]] = {}
        for name in self.queue.texts:
            reading = self._read(name)
            if isinstance(reading, ParsedMessage) and name not in self.queue.poisoned_ids:
                newest[reading.pillow] = max(
                    newest.get(reading.pillow, reading.order), reading.order
                )
        for update in self.broker.taken:
            newest[update.pillow] = max(newest.get(update.pillow, update.order), update.order)
        assert {one.pillow: one.order for one in self.broker.retained.values()} == newest

    def _look_at_deletion(self, message: Message) -> None:
        reading = self._read(message.id)
        confirmed = (
            isinstance(reading, ParsedMessage)
            and reading.pillow in self.broker.known
            and self.broker.known[reading.pillow] >= reading.order
        )
        if not confirmed and message.id not in self.queue.poisoned_ids:
            self.wrongly_deleted.append(message.text)

    def _read(self, name: str) -> object:
        return decode_message(
            self.queue.texts[name], default_pillow="cloud", queued_us=self.queue.queued_us[name]
        )
