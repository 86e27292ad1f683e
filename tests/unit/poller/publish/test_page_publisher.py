"""Pages that were requested together: each pillow's states are published in order."""

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from poller.publish.page_order import MIN_PATIENCE_S
from tests.fakes.calls import Fault
from tests.fakes.virtual_time import now, pause, virtual_time
from tests.hypothesis_profiles import examples
from tests.unit.poller.world import Process, World, order, state

pytestmark = pytest.mark.timeout(180)

PILLOWS = 20


def put_backlog(world: World, messages: int, pillows: int = PILLOWS) -> None:
    """Put states of all pillows in turn on the queue, a millisecond apart."""
    first = len(world.queue.texts)
    for number in range(first, first + messages):
        world.queue.put(state(f"p{number % pillows}", number / 1000))


def check_every_state_was_published_in_order(world: World, poller: Process, number: int) -> None:
    """Assert that nothing was superseded, and that subscribers saw each pillow's states in turn."""
    assert (poller.count("published"), poller.count("superseded")) == (number, 0)
    for pillow in {update.pillow for update in world.broker.accepted}:
        orders = [one.order for one in world.broker.accepted if one.pillow == pillow]
        assert orders == sorted(set(orders))


@settings(max_examples=examples(12))
@given(
    seed=st.integers(0, 2**32),
    pillows=st.sampled_from((1, 3, PILLOWS, 400)),
    loop_back=st.booleans(),
)
@virtual_time
async def test_every_state_of_a_backlog_is_published(
    seed: int, pillows: int, loop_back: bool
) -> None:
    """Whichever request the queue serves first, and whichever answer comes first."""
    chance = Random(seed)
    world = World()
    put_backlog(world, 400, pillows)
    poller = world.start(
        queue_latency_s=lambda: chance.choice((0.001, 0.01, 0.1, 0.5)),
        broker_latency_s=lambda: chance.choice((0.001, 0.05)),
        loop_back=loop_back,
    )
    async with world.running(poller):
        await world.rest()
    check_every_state_was_published_in_order(world, poller, 400)


@virtual_time
async def test_a_page_that_is_answered_first_waits_for_an_older_one() -> None:
    """The queue serves the third request before the second, whose answer comes last."""
    world = World()
    put_backlog(world, 96)

    def latency_s() -> float:
        is_second = poller.calls.made[-1] == "receive" and poller.calls.made.count("receive") == 2
        return 0.4 if is_second else 0.01

    poller = world.start(queue_latency_s=latency_s)
    async with world.running(poller):
        await world.rest()
    check_every_state_was_published_in_order(world, poller, 96)


@virtual_time
async def test_a_request_without_an_answer_delays_no_page_for_long() -> None:
    """It is counted and logged once; other pages wait for it no more than once."""
    world = World()
    put_backlog(world, 640)
    stuck: list[float] = []

    def latency_s() -> float:
        if poller.calls.made[-1] == "receive" and poller.calls.made.count("receive") == 2:
            stuck.append(now())
            return 60.0
        return 0.01

    poller = world.start(queue_latency_s=latency_s)
    with capture_logs() as logs:
        async with world.running(poller):
            await world.until(lambda: poller.count("published") == 640, "what others bring")
            assert now() < stuck[0] + MIN_PATIENCE_S + 1.0
            assert poller.count("overdue_requests") == 1
            await world.rest()
            assert poller.count("superseded") == 0
    assert len([line for line in logs if "gets no answer" in line["event"]]) == 1
    world.check_newest()


@virtual_time
async def test_a_pause_of_the_process_makes_no_request_overdue() -> None:
    """The answers that arrived meanwhile are read before a page leaves without them."""
    world = World()
    put_backlog(world, 96)

    def latency_s() -> float:
        is_second = poller.calls.made[-1] == "receive" and poller.calls.made.count("receive") == 2
        return 1.0 if is_second else 0.01

    poller = world.start(queue_latency_s=latency_s)
    async with world.running(poller):
        await world.until(lambda: poller.count("received") == 64, "a page that waits")
        await asyncio.sleep(0.9)
        pause(20.0)
        await world.rest()
    check_every_state_was_published_in_order(world, poller, 96)
    assert poller.count("overdue_requests") == 0


@settings(max_examples=examples(8))
@given(seed=st.integers(0, 2**32))
@virtual_time
async def test_requests_that_fail_hold_no_page(seed: int) -> None:
    """What they took from the queue is delivered again, and may be superseded."""
    chance = Random(seed)
    world = World(visibility_s=5, max_attempts=100)
    put_backlog(world, 400)

    def fault(operation: str) -> Fault | None:
        if operation != "receive" or chance.random() > 0.2:
            return None
        return chance.choice((Fault.LOST_ANSWER, Fault.LOST_REQUEST))

    poller = world.start(fault=fault, queue_latency_s=lambda: chance.choice((0.01, 0.1)))
    async with world.running(poller):
        await world.rest()
    world.check_newest()
    assert poller.count("overdue_requests") == 0


@virtual_time
async def test_what_a_page_holds_is_given_back_at_a_stop() -> None:
    """Its request beside it has no answer; nothing is published after the stop."""
    world = World()
    put_backlog(world, 640)
    poller = world.start(
        queue_latency_s=lambda: 60.0 if poller.calls.made.count("receive") == 2 else 0.01
    )
    async with world.running(poller):
        await world.until(lambda: poller.count("received") > 32, "pages that wait")
        await poller.stop()
        accepted = len(world.broker.accepted)
        await asyncio.sleep(120)
        assert len(world.broker.accepted) == accepted
    async with world.running(world.start()):
        await world.rest()
    world.check_newest()


@virtual_time
async def test_a_single_message_waits_for_nothing() -> None:
    """One request is under way at a low rate, so that no page is held."""
    world = World()
    async with world.running(world.start(queue_latency_s=lambda: 0.01)) as poller:
        for number in range(20):
            begun = now()
            world.queue.put(state("a", number))
            await world.until(lambda: poller.count("published") == number + 1, "a message")  # noqa: B023
            assert now() - begun < 0.2
    assert world.broker.retained["a"].order == order(19)


@settings(max_examples=examples(8))
@given(seed=st.integers(0, 2**32))
@virtual_time
async def test_several_pollers_request_one_page_at_a_time_and_supersede_few(seed: int) -> None:
    """Each merges only its own pages; alone again, it requests several at once."""
    chance = Random(seed)
    world = World()
    pollers = [
        world.start(
            queue_latency_s=lambda: chance.uniform(0.010, 0.012),
            broker_latency_s=lambda: chance.uniform(0.001, 0.002),
        )
        for _ in range(3)
    ]
    put_backlog(world, 320)
    await world.rest()
    for poller in pollers:
        assert poller.broker.shares_queue
        poller.calls.most_concurrent["receive"] = 0
    put_backlog(world, 1600, 40)
    await world.rest()
    assert [poller.calls.most_concurrent["receive"] for poller in pollers] == [1, 1, 1]
    ended = [poller.count("published") + poller.count("superseded") for poller in pollers]
    assert sum(ended) == 1920
    assert sum(poller.count("superseded") for poller in pollers) < 192

    for poller in pollers[1:]:
        await poller.stop()
    await asyncio.sleep(10)
    assert not pollers[0].broker.shares_queue
    put_backlog(world, 640)
    await world.rest()
    assert pollers[0].calls.most_concurrent["receive"] > 1
    await pollers[0].stop()
    world.check()
    world.check_newest()
