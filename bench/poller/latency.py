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
IDLE_PAUSE_S: Final = (7.0, 14.0)
"""Longer than the poller stays at its floor, so that each message finds it at its ceiling."""
BUSY_RATE: Final = 20.0
DAY_S: Final = 86_400.0


async def measure(broker: Broker, *, idle: int, busy: int) -> dict[str, list[float]]:
    """Return the milliseconds of messages on idle queues and on a busy one.

    `idle` is how many messages each of several pollers with queues of their own gets, `busy` how
    many one of them gets at BUSY_RATE after that.
    """
    async with Azurite() as azurite, AsyncExitStack() as stack:
        prefix = f"bench{ports.free()}"
        queues = [
            await stack.enter_async_context(
                QueueClient.from_connection_string(
                    azurite.connection_string, f"q-{number}", **CLIENT_OPTIONS
                )
            )
            for number in range(IDLE_POLLERS)
        ]
        for number, queue in enumerate(queues):
            await queue.create_queue()
            await stack.enter_async_context(_poller(azurite, broker, prefix, f"q-{number}"))
        url = broker.url_for("poller")
        user, _, password = url.removeprefix("mqtt://").partition("@")[0].partition(":")
        client = await stack.enter_async_context(
            aiomqtt.Client(ports.HOST, broker.port, username=user, password=password)
        )
        await client.subscribe(f"{prefix}/+/state", qos=1)
        arrived: dict[str, asyncio.Future[float]] = {}
        listening = asyncio.create_task(_listen(client, arrived))
        stack.callback(listening.cancel)

        async def send(number: int) -> float:
            pillow = f"c{number}-{time.time_ns()}"
            future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
            arrived[pillow] = future
            begun = time.perf_counter()
            await queues[number].send_message(f'{{"pillow":"{pillow}","state":"hugging"}}')
            async with asyncio.timeout(60):
                return (await future - begun) * 1000

        async def sparse(number: int) -> list[float]:
            figures = []
            for _ in range(idle):
                await asyncio.sleep(random.uniform(*IDLE_PAUSE_S))  # noqa: S311
                figures.append(await send(number))
            return figures

        on_idle = await asyncio.gather(*map(sparse, range(IDLE_POLLERS)))
        dense = []
        for _ in range(busy):
            dense.append(asyncio.create_task(send(0)))
            await asyncio.sleep(random.expovariate(BUSY_RATE))
        on_busy = await asyncio.gather(*dense)
    # The first messages of a busy time find the poller idle.
    return {"idle": [one for some in on_idle for one in some], "busy": on_busy[len(on_busy) // 5 :]}


def requests_a_day(every_s: float | None, seed: int = 1) -> int:
    """Return how many polls the default policy makes in a day with a message every so often."""
    defaults = PollerSettings.model_fields
    policy = PollPolicy(*(defaults[name].default for name in ("poll_min", "poll_max", "poll_hot")))
    chance = random.Random(seed)  # noqa: S311
    now, polls, next_message = 0.0, 0, every_s or DAY_S * 2
    state = PollState(last_message_s=-policy.hot_s)
    while now < DAY_S:
        polls += 1
        if now >= next_message:
            next_message = now + (every_s or DAY_S * 2)
            state = after_messages(state, now)
        else:
            state = after_nothing(state, policy, now)
        now += next_delay_s(state, policy, chance.random()) + 0.005
    return polls


def percentile(figures: list[float], part: float) -> float:
    """Return the figure that `part` (0..1) of them do not exceed."""
    return statistics.quantiles(figures, n=100, method="inclusive")[round(part * 100) - 1]


async def _listen(client: aiomqtt.Client, arrived: dict[str, asyncio.Future[float]]) -> None:
    async for message in client.messages:
        future = arrived.get(str(message.topic).split("/")[1])
        if future is not None and not future.done():
            future.set_result(time.perf_counter())


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
