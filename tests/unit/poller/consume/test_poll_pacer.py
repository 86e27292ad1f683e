"""The pauses between polls: long while nobody looks, short at once when somebody begins to."""

import asyncio
import math
from itertools import pairwise

import pytest
import structlog

from contract.topics import OFFLINE, ONLINE
from poller.consume.poll_pacer import PollPacer
from poller.consume.polling import PollPolicy
from poller.consume.viewers import MAX_GATEWAYS, Viewers
from poller.metrics import PollerMetrics
from tests.fakes.calls import Fault
from tests.fakes.virtual_time import now, virtual_time
from tests.unit.poller.consume.test_polling import DAY_S, STANDARD
from tests.unit.poller.world import Process, World, state

pytestmark = pytest.mark.timeout(180)


def say(process: Process, clients: int, *, instance: str = "gw") -> None:
    """Receive what a gateway says."""
    process.pipeline.pacer.on_gateway_status(instance, ONLINE)
    process.pipeline.pacer.on_watching(instance, b"%d" % clients)


def polls_since(process: Process, since_s: float) -> list[float]:
    """Return the times of the polls since a time."""
    return [one for one in process.queue.receive_times if one >= since_s]


@virtual_time
async def test_a_queue_that_nobody_looks_at_is_polled_at_most_10000_times_a_day() -> None:
    """And no message is asked for less often than every ten seconds."""
    world = World()
    poller = world.start(policy=STANDARD)
    async with world.running(poller):
        say(poller, 0)
        await asyncio.sleep(DAY_S)

    times = poller.queue.receive_times
    assert 8_640 * 0.99 <= len(times) <= 10_000
    assert max(after - before for before, after in pairwise(times)) <= 10.02


@virtual_time
async def test_messages_that_nobody_looks_at_are_received_in_batches() -> None:
    """They cost hardly more polls than none, and none of them is lost."""
    world = World()
    poller = world.start(policy=STANDARD)
    async with world.running(poller):
        say(poller, 0)
        for number in range(3600):
            world.queue.put(state(f"p{number % 3}", number))
            await asyncio.sleep(1)
        assert len(poller.queue.receive_times) <= 10_000 / 24
        await world.rest()
        assert poller.count("received") == 3600


@virtual_time
async def test_a_watched_queue_is_polled_every_tenth_of_a_second() -> None:
    """So a message on an idle queue is received within that and a request."""
    world = World()
    poller = world.start(policy=STANDARD, queue_latency_s=lambda: 0.03)
    async with world.running(poller):
        say(poller, 1)
        await asyncio.sleep(60)
        times = polls_since(poller, 1)
        assert max(after - before for before, after in pairwise(times)) <= 0.1 + 1e-6
        assert len(times) <= 59 * 13
        for number in range(20):
            await asyncio.sleep(7.03)
            world.queue.put(state("p", number))
            put_s = now()
            await world.until(lambda: not world.queue.messages, "received", step_s=0.001)
            assert now() - put_s <= 0.2


@virtual_time
async def test_a_poller_that_sleeps_polls_at_once_when_somebody_begins_to_look() -> None:
    """And on the scale again when the last one has left."""
    world = World()
    poller = world.start(policy=STANDARD)
    async with world.running(poller):
        say(poller, 0)
        for second in range(5):
            await asyncio.sleep(60 + 1.3 * second)
            # A poll may be under way.
            await asyncio.sleep(max(0, poller.queue.receive_times[-1] + 0.5 - now()))
            before = len(poller.queue.receive_times)
            say(poller, 1)
            came_s = now()
            await asyncio.sleep(0.1)
            assert len(poller.queue.receive_times) > before
            assert poller.queue.receive_times[before] - came_s <= 0.001

            say(poller, 0)
            left_s = now()
            await asyncio.sleep(60)
            assert len(polls_since(poller, left_s)) <= 15


@virtual_time
async def test_a_client_that_comes_and_goes_costs_no_more_than_one_that_stays() -> None:
    """Ten polls a second."""
    world = World()
    poller = world.start(policy=STANDARD)
    async with world.running(poller):
        await asyncio.sleep(60)
        begun_s = now()
        for number in range(10_000):
            say(poller, number % 2)
            await asyncio.sleep(0.001)
        assert len(polls_since(poller, begun_s)) <= 10 * 13


@virtual_time
async def test_a_wake_hint_makes_a_poller_poll_at_once_and_for_a_second() -> None:
    """A message may become visible after the hint; any number of hints costs ten polls a second."""
    world = World()
    poller = world.start(policy=STANDARD)
    async with world.running(poller):
        say(poller, 0)
        await asyncio.sleep(63)
        poller.pipeline.pacer.on_wake()
        woken_s = now()
        await asyncio.sleep(0.5)
        world.queue.put(state("p", 1))
        await world.until(lambda: not world.queue.messages, "received", within_s=0.2)
        assert polls_since(poller, woken_s)[0] - woken_s <= 0.001
        await asyncio.sleep(60)
        assert len(polls_since(poller, woken_s + 2)) <= 12

        begun_s = now()
        for _ in range(10_000):
            poller.pipeline.pacer.wake("http")
            await asyncio.sleep(0.001)
        assert len(polls_since(poller, begun_s)) <= 10 * 13
    assert poller.count("wakes", source="mqtt") == 1
    assert poller.count("wakes", source="http") == 10_000


@virtual_time
async def test_a_wake_hint_during_a_slow_poll_is_followed_by_another_poll() -> None:
    """The message may have come after the queue had served the first one."""
    world = World()
    poller = world.start(policy=STANDARD, queue_latency_s=lambda: 3.0)
    async with world.running(poller):
        say(poller, 0)
        await asyncio.sleep(120)
        begun = len(poller.queue.receive_times)
        await world.until(lambda: len(poller.queue.receive_times) > begun, "a poll")
        poller.pipeline.pacer.on_wake()
        await asyncio.sleep(3.5)
        assert len(poller.queue.receive_times) == begun + 2


@virtual_time
async def test_neither_a_wake_hint_nor_a_viewer_shortens_the_back_off() -> None:
    """The queue asked for the delay, or only an operator can help."""
    world = World()
    poller = world.start(fault=lambda _operation: Fault.DENIED, policy=STANDARD)
    async with world.running(poller):
        for number in range(3000):
            say(poller, number % 2)
            poller.pipeline.pacer.on_wake()
            await asyncio.sleep(0.1)
        assert len(poller.queue.receive_times) <= 11


@virtual_time
async def test_a_gateway_that_died_counts_as_none_and_another_connection_begins_anew() -> None:
    """Its number stays on the broker."""
    pacer = PollPacer(STANDARD, PollerMetrics())
    seen = []
    pacer.on_gateway_status("gw", ONLINE)
    pacer.on_watching("gw", b"3")
    seen.append(pacer.viewers)
    pacer.on_gateway_status("gw", OFFLINE)
    seen.append(pacer.viewers)
    pacer.on_connecting()
    seen.append(pacer.viewers)

    assert seen == [Viewers.SOME, Viewers.NONE, Viewers.UNKNOWN]


@virtual_time
async def test_without_any_gateway_polls_are_two_seconds_apart() -> None:
    """Somebody may look with mosquitto_sub. POLLER_POLL_MAX holds if it is set."""
    world = World()
    default = world.start(policy=STANDARD)
    explicit = world.start(policy=PollPolicy(0.01, 60, 5, 0.1, 60))
    async with world.running(default), world.running(explicit):
        await asyncio.sleep(3600)
        assert 1_800 <= len(default.queue.receive_times) <= 2_000
        assert 60 <= len(explicit.queue.receive_times) <= 85


@virtual_time
async def test_the_metric_is_the_number_of_clients_and_nan_where_it_is_not_known() -> None:
    """And what is said above the limit of gateways is counted, and logged once."""
    metrics = PollerMetrics()
    pacer = PollPacer(STANDARD, metrics)

    def sample(name: str) -> float | None:
        return metrics.registry.get_sample_value(f"pillowcast_poller_{name}")

    assert math.isnan(sample("watching") or 0)
    with structlog.testing.capture_logs() as logs:
        for number in range(MAX_GATEWAYS + 3):
            pacer.on_watching(f"g{number}", b"2")
    assert sample("watching") == 2 * MAX_GATEWAYS
    assert sample("ignored_gateways_total") == 3
    assert [one["log_level"] for one in logs if one["log_level"] != "debug"] == ["warning"]
