"""Measures the time from a put on the queue to the arrival on MQTT, and counts polls a day."""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import aiomqtt
from azure.storage.queue.aio import QueueClient

from azure_queue import development_account
from azure_queue.account import CLIENT_OPTIONS
from contract.topics import Topics
from devstack import ports
from devstack.broker import Broker, User
from devstack.probes import http_answers
from devstack.processes import Program
from poller.consume.polling import Found, PollPolicy, PollState, after_poll, next_delay_s
from poller.consume.viewers import Viewers
from poller.settings import PollerSettings

POLLERS: Final = 4
"""Pollers that are measured at the same time, each with a queue of its own."""

INTERVAL_S: Final = {
    Viewers.SOME: (0.3, 1.0),
    # Longer than POLLER_POLL_HOT, so that each message finds a poller at its longest delay.
    Viewers.UNKNOWN: (7.0, 14.0),
    Viewers.NONE: (2.0, 12.0),
}
"""From when to when the next message is put after one has arrived, in seconds."""

START_S: Final = 22.0
"""How long a poller that nobody looks at takes until its longest delay, in seconds."""

BUSY_RATE: Final = 20.0
"""Messages a second on the busy queue."""

DAY_S: Final = 86_400.0

REQUEST_S: Final = 0.01
"""How long a simulated poll takes, in seconds."""

DOLLARS_PER_10_000: Final = 0.004
"""The price of ten thousand operations, a few tenths of a US cent as a rule: an assumption."""


class Stopwatch:
    """Puts messages on a queue and measures the time until they arrive on MQTT."""

    def __init__(self, mqtt: aiomqtt.Client) -> None:
        self._mqtt = mqtt
        self._arrivals: dict[str, asyncio.Future[float]] = {}

    async def put(self, queue: QueueClient) -> float:
        """Put a message of a new pillow; returns the milliseconds until it has arrived."""
        pillow = f"{queue.queue_name}-{time.time_ns()}"
        arrival: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._arrivals[pillow] = arrival
        started = time.perf_counter()
        await queue.send_message(f'{{"pillow":"{pillow}","state":"hugging"}}')
        async with asyncio.timeout(60):
            return (await arrival - started) * 1000

    async def run(self) -> None:
        """Note arrivals until cancelled."""
        async for message in self._mqtt.messages:
            arrival = self._arrivals.get(str(message.topic).split("/")[1])
            if arrival is not None and not arrival.done():
                arrival.set_result(time.perf_counter())


@dataclass
class Bench:
    """Pollers of one queue service, and a subscriber that measures what they publish."""

    stopwatch: Stopwatch
    queues: list[QueueClient]


@asynccontextmanager
async def running(
    port: int, broker: Broker, viewers: Viewers, pollers: int
) -> AsyncIterator[Bench]:
    """Start pollers of the queue service on a port; a gateway has said whether somebody looks."""
    async with AsyncExitStack() as stack:
        prefix = f"bench{ports.free()}"
        if viewers is not Viewers.UNKNOWN:
            await _say(broker, prefix, b"1" if viewers is Viewers.SOME else b"0")
        mqtt = await stack.enter_async_context(client(broker, "poller"))
        await mqtt.subscribe(f"{prefix}/+/state", qos=1)
        stopwatch = Stopwatch(mqtt)
        noting = asyncio.create_task(stopwatch.run())
        stack.callback(noting.cancel)
        connection_string = development_account.connection_string(port)
        queues = []
        for number in range(pollers):
            queue = await stack.enter_async_context(
                QueueClient.from_connection_string(
                    connection_string, f"{prefix}-{number}", **CLIENT_OPTIONS
                )
            )
            await queue.create_queue()
            poller = _poller(connection_string, broker, prefix, queue.queue_name)
            await stack.enter_async_context(poller)
            queues.append(queue)
        yield Bench(stopwatch, queues)


async def measure_idle(port: int, broker: Broker, viewers: Viewers, messages: int) -> list[float]:
    """Return the latencies of messages on idle queues, in milliseconds: some for each poller."""
    async with running(port, broker, viewers, POLLERS) as bench:
        if viewers is Viewers.NONE:
            await asyncio.sleep(START_S)
        some = await asyncio.gather(
            *(
                _put_sparsely(bench.stopwatch, one, messages, INTERVAL_S[viewers])
                for one in bench.queues
            )
        )
    return [one for latencies in some for one in latencies]


async def measure_busy(port: int, broker: Broker, viewers: Viewers, messages: int) -> list[float]:
    """Return the latencies of messages on a busy queue, in milliseconds."""
    async with running(port, broker, viewers, 1) as bench:
        latencies = await _put_densely(bench.stopwatch, bench.queues[0], messages)
    # The first fifth is left out, because those messages find the poller idle.
    return latencies[messages // 5 :]


async def _say(broker: Broker, prefix: str, clients: bytes) -> None:
    """Publish what a gateway with so many clients says."""
    topics = Topics(prefix)
    async with client(broker, "gateway") as gateway:
        await gateway.publish(topics.status("gateway", "bench"), b"online", qos=1, retain=True)
        await gateway.publish(topics.watching("bench"), clients, qos=1, retain=True)


def client(broker: Broker, user: User) -> aiomqtt.Client:
    return aiomqtt.Client(ports.HOST, broker.port, username=user, password=broker.password(user))


async def _put_sparsely(
    stopwatch: Stopwatch, queue: QueueClient, messages: int, interval_s: tuple[float, float]
) -> list[float]:
    latencies = []
    for _ in range(messages):
        await asyncio.sleep(random.uniform(*interval_s))  # noqa: S311
        latencies.append(await stopwatch.put(queue))
    return latencies


async def _put_densely(stopwatch: Stopwatch, queue: QueueClient, messages: int) -> list[float]:
    puts = []
    for _ in range(messages):
        puts.append(asyncio.create_task(stopwatch.put(queue)))
        await asyncio.sleep(random.expovariate(BUSY_RATE))
    return await asyncio.gather(*puts)


def polls_a_day(viewers: Viewers, every_s: float | None, seed: int = 1) -> int:
    """Simulate a day of the default policy with a message every `every_s`; returns its polls."""
    settings = PollerSettings.model_construct()
    policy = PollPolicy(
        settings.poll_min,
        settings.poll_max,
        settings.poll_hot,
        settings.poll_watched,
        settings.poll_unknown,
    )
    rng = random.Random(seed)  # noqa: S311
    now, polls, next_message = 0.0, 0, every_s or DAY_S * 2
    state = PollState(last_message_s=-policy.hot_s)
    while now < DAY_S:
        polls += 1
        found = Found.NOTHING
        if now >= next_message:
            next_message = now + (every_s or DAY_S * 2)
            found = Found.SOME
        now += REQUEST_S
        state = after_poll(state, policy, viewers, found, now, REQUEST_S)
        now += next_delay_s(state, policy, viewers, rng.random())
    return polls


def dollars_a_month(polls: int) -> float:
    """Return the price of so many polls a day for thirty days."""
    return polls * 30 * DOLLARS_PER_10_000 / 10_000


def percentile(figures: list[float], part: float) -> float:
    """Return the figure that a share of `part` (0..1) does not exceed."""
    return statistics.quantiles(figures, n=100, method="inclusive")[round(part * 100) - 1]


def _poller(connection_string: str, broker: Broker, prefix: str, queue: str) -> Program:
    port = ports.free()
    return Program(
        f"poller {queue}",
        [Path(sys.executable).parent / "poller"],
        ready=partial(http_answers, ports.HOST, port, "/readyz", status=200),
        env={
            "AZURE_STORAGE_CONNECTION_STRING": connection_string,
            "QUEUE_NAME": queue,
            "MQTT_URL": broker.url_for("poller"),
            "TOPIC_PREFIX": prefix,
            "INSTANCE": queue,
            "POLLER_PORT": str(port),
            "LOG_LEVEL": "warning",
        },
    )
