"""Measures the time from a put on the queue to the arrival on MQTT, and counts polls a day."""

import asyncio
import random
import statistics
import sys
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiomqtt
from azure.storage.queue.aio import QueueClient

from azure_queue.account import CLIENT_OPTIONS
from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from devstack.probes import http_answers
from devstack.processes import Program
from poller.consume.polling import (
    PollPolicy,
    PollState,
    after_messages,
    after_nothing,
    next_delay_s,
)
from poller.settings import PollerSettings

IDLE_POLLERS: Final = 8
"""Pollers that are measured at the same time, each with a queue of its own."""

IDLE_INTERVAL_S: Final = (7.0, 14.0)
"""Longer than POLLER_POLL_HOT, so that each message finds a poller at its longest delay."""

BUSY_RATE: Final = 20.0
"""Messages a second on the busy queue."""

DAY_S: Final = 86_400.0


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


async def measure(broker: Broker, *, idle: int, busy: int) -> dict[str, list[float]]:
    """Return the latencies of messages on idle queues and on a busy one, in milliseconds.

    Each of IDLE_POLLERS pollers gets `idle` messages, and then one of them gets `busy` messages.
    """
    async with Azurite(in_memory=True) as azurite, AsyncExitStack() as stack:
        prefix = f"bench{ports.free()}"
        queues = []
        for number in range(IDLE_POLLERS):
            queue = await stack.enter_async_context(
                QueueClient.from_connection_string(
                    azurite.connection_string, f"q-{number}", **CLIENT_OPTIONS
                )
            )
            await queue.create_queue()
            await stack.enter_async_context(_poller(azurite, broker, prefix, queue.queue_name))
            queues.append(queue)
        url = urlsplit(broker.url_for("poller"))
        mqtt = await stack.enter_async_context(
            aiomqtt.Client(ports.HOST, broker.port, username=url.username, password=url.password)
        )
        await mqtt.subscribe(f"{prefix}/+/state", qos=1)
        stopwatch = Stopwatch(mqtt)
        running = asyncio.create_task(stopwatch.run())
        stack.callback(running.cancel)
        on_idle = await asyncio.gather(*(_put_sparsely(stopwatch, one, idle) for one in queues))
        on_busy = await _put_densely(stopwatch, queues[0], busy)
    # The first fifth is left out, because those messages find the poller idle.
    return {"idle": [one for some in on_idle for one in some], "busy": on_busy[len(on_busy) // 5 :]}


async def _put_sparsely(stopwatch: Stopwatch, queue: QueueClient, messages: int) -> list[float]:
    latencies = []
    for _ in range(messages):
        await asyncio.sleep(random.uniform(*IDLE_INTERVAL_S))  # noqa: S311
        latencies.append(await stopwatch.put(queue))
    return latencies


async def _put_densely(stopwatch: Stopwatch, queue: QueueClient, messages: int) -> list[float]:
    puts = []
    for _ in range(messages):
        puts.append(asyncio.create_task(stopwatch.put(queue)))
        await asyncio.sleep(random.expovariate(BUSY_RATE))
    return await asyncio.gather(*puts)


def requests_a_day(every_s: float | None, seed: int = 1) -> int:
    """Simulate a day of the default policy with a message every `every_s`; returns its polls."""
    defaults = PollerSettings.model_fields
    policy = PollPolicy(*(defaults[name].default for name in ("poll_min", "poll_max", "poll_hot")))
    rng = random.Random(seed)  # noqa: S311
    now, polls, next_message = 0.0, 0, every_s or DAY_S * 2
    state = PollState(last_message_s=-policy.hot_s)
    while now < DAY_S:
        polls += 1
        if now >= next_message:
            next_message = now + (every_s or DAY_S * 2)
            state = after_messages(state, now)
        else:
            state = after_nothing(state, policy, now)
        now += next_delay_s(state, policy, rng.random()) + 0.005
    return polls


def percentile(figures: list[float], part: float) -> float:
    """Return the figure that a share of `part` (0..1) does not exceed."""
    return statistics.quantiles(figures, n=100, method="inclusive")[round(part * 100) - 1]


def _poller(azurite: Azurite, broker: Broker, prefix: str, queue: str) -> Program:
    port = ports.free()
    return Program(
        f"poller {queue}",
        [Path(sys.executable).parent / "poller"],
        ready=partial(http_answers, ports.HOST, port, "/readyz", status=200),
        env={
            "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
            "QUEUE_NAME": queue,
            "MQTT_URL": broker.url_for("poller"),
            "TOPIC_PREFIX": prefix,
            "INSTANCE": queue,
            "POLLER_PORT": str(port),
            "LOG_LEVEL": "warning",
        },
    )
