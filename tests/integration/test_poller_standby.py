"""Two pollers of one queue, as processes: one receives, the other stands by and takes over."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import aiomqtt
import httpx
import pytest

from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from poller.in_flight import MAX_IN_FLIGHT
from tests.poller import Poller, created_queue, payload, spawned, subscribed, wait_empty
from tests.service_process import WITHIN_S
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(180)

PILLOWS = 10
TAKEOVER_S = 10
"""Longer than a busy machine stops any of the processes, because a poller that is stopped for as
long is replaced."""

LEASE_S = 10
"""Longer as well: what is received again counts as superseded."""


@pytest.fixture
async def pair(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> AsyncIterator[tuple[Poller, Poller]]:
    """Two pollers; the first one receives, and the second one speaks MQTT 3.1.1."""
    one, two = (
        Poller(
            queue_name,
            prefix,
            broker,
            INSTANCE=name,
            MQTT_PROTOCOL=protocol,
            AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
            POLLER_VISIBILITY_TIMEOUT=str(LEASE_S),
            POLLER_TAKEOVER_AFTER=str(TAKEOVER_S),
        )
        for name, protocol in (("one", "5"), ("two", "3.1.1"))
    )
    async with spawned(one):
        await one.until_ready(within_s=WITHIN_S)
        async with spawned(two):
            await two.until_ready(within_s=WITHIN_S)
            yield one, two


MAX_BACKLOG = 1000
"""How many messages wait on the queue at most: the more there are, the longer Azurite takes for a
request. On a fast machine 10,000 came while no poller received, and it took minutes for them."""


@asynccontextmanager
async def flowing(azurite: Azurite, queue: str) -> AsyncIterator[list[int]]:
    """Put states of a few pillows on the queue, each pillow's in order, until the end."""
    numbers: list[int] = []

    async def flow() -> None:
        async with created_queue(azurite, queue) as client:

            async def has_room() -> bool:
                waiting = (await client.get_queue_properties()).approximate_message_count
                return waiting is not None and waiting < MAX_BACKLOG

            while True:
                await eventually(has_room, "less on the queue", within_s=WITHIN_S)
                batch = range(len(numbers), len(numbers) + PILLOWS)
                await asyncio.gather(*(client.send_message(text(one)) for one in batch))
                numbers.extend(batch)

    putting = asyncio.create_task(flow())
    try:
        yield numbers
    finally:
        putting.cancel()
        for result in await asyncio.gather(putting, return_exceptions=True):
            if isinstance(result, Exception):  # it did not flow until the end
                raise result


def text(number: int) -> str:
    """Return a message of one of the pillows."""
    return f'{{"pillow":"p{number % PILLOWS}","state":"hugging","seq":{number}}}'


def seen(messages: Sequence[aiomqtt.Message]) -> dict[str, list[int]]:
    """Return the numbers of each pillow's states, as a subscriber received them."""
    found: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        state = json.loads(payload(message))
        found[state["pillow"]].append(state["seq"])
    return found


async def has_said(messages: Sequence[aiomqtt.Message], role: str) -> bool:
    """Return whether a poller has said what it is."""
    return any(json.loads(payload(one))["role"] == role for one in messages)


async def test_a_poller_that_is_stopped_hands_over_without_losing_the_order(
    pair: tuple[Poller, Poller], azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """Before that the second one is ready and receives nothing."""
    one, two = pair
    async with (
        subscribed(broker, f"{prefix}/+/state") as messages,
        subscribed(broker, f"{prefix}/bridge/poller/active/+") as said,
    ):
        async with flowing(azurite, queue_name):
            await eventually(partial(has_published, one, 100), "states of the first poller")
            assert (await one.metric("active"), await two.metric("active")) == (1, 0)
            ready = (await two.get("/readyz")).json()
            assert ready["ready"]
            assert ready["dependencies"]["queue"] == "ok; standby: one receives"
            assert await two.count("received") == 0
            assert await wake(two) == 409
            assert await wake(one) == 202
            await eventually(partial(has_said, said, "standby"), "the second poller stands by")
            one.terminate()
            assert await one.exit_status() == 0
            line = await two.log.wait_for("took over the queue", within_s=WITHIN_S)
            assert "released" in line, "it did not wait until the other one was silent"
            await eventually(partial(has_published, two, 100), "states of the second poller")
        await wait_empty(azurite, queue_name, two)
        counts = await two.check_counts()
    assert counts["superseded"] == 0
    assert all(states == sorted(set(states)) for states in seen(messages).values())
    assert two.log.text.count("standby: another poller receives") == 1
    roles = [json.loads(payload(one))["role"] for one in said]
    assert set(roles) == {"active", "standby", "released"}


async def test_a_killed_poller_is_replaced_while_states_flow(
    pair: tuple[Poller, Poller], azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """Nothing is lost, and no more is superseded than it had in flight."""
    one, two = pair
    async with subscribed(broker, f"{prefix}/+/state") as messages:
        async with flowing(azurite, queue_name) as numbers:
            await eventually(partial(has_published, one, 100), "states of the first poller")
            one.kill()
            await one.exit_status()
            line = await two.log.wait_for("took over the queue", within_s=WITHIN_S)
            assert "silent" in line
            await eventually(partial(has_published, two, 100), "states of the second poller")
        await wait_empty(azurite, queue_name, two)
        counts = await two.check_counts()
        await two.log.wait_for("states superseded since the take-over", within_s=WITHIN_S)
        assert await two.count("takeover_superseded") == counts["superseded"]

        async def have_come() -> bool:
            missing = set(numbers).difference(*seen(messages).values())
            # A state that was published and not deleted counts as superseded too when it is back.
            return len(missing) <= counts["superseded"]

        await eventually(have_come, "every state but the superseded ones")

    assert all(states == sorted(states) for states in seen(messages).values())
    assert counts["superseded"] <= MAX_IN_FLIGHT


async def wake(poller: Poller) -> int:
    """Post a wake hint; returns the status of the answer."""
    async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as http:
        return (await http.post(f"http://{ports.HOST}:{poller.port}/wake")).status_code


async def has_published(poller: Poller, number: int) -> bool:
    """Return whether a poller has published so many states."""
    return await poller.count("published") >= number
