"""The worker: a message's whole way, and how a stop ends the messages in flight."""

import asyncio
import json
from dataclasses import replace

import pytest

from runtime.health import OK
from tests.fakes.calls import Fault
from tests.fakes.virtual_time import now, virtual_time
from tests.unit.poller.world import World, order, state


@virtual_time
async def test_a_message_is_published_retained_and_deleted() -> None:
    """Every counter and the trace timestamps show its way."""
    world = World()
    world.queue.put(state("cloud-1", 1))
    world.queue.put("HUG")
    async with world.running() as poller:
        await world.rest()
        assert poller.queue_state == OK
        assert poller.broker_state == OK
    world.check_newest()
    assert poller.count("received") == poller.count("published") == 2
    assert poller.count("deleted", outcome="deleted") == 2
    payload = json.loads(world.broker.retained["cloud-1"].payload)
    assert payload["state"] == "hugging"
    assert payload["hops"].keys() == {"queued", "polled", "published"}
    assert world.broker.retained["cloud"].state == "hugging"


@virtual_time
async def test_a_stop_completes_the_messages_in_flight() -> None:
    """Nothing new is received, and every message is published or dead-lettered, and deleted."""
    world = World()
    for number in range(32):
        world.queue.put(state(f"p{number}", 1))
    world.queue.put("what?", after_s=0.05)
    poller = world.start(broker_latency_s=lambda: 1.0)
    async with world.running(poller):
        await world.until(lambda: poller.in_flight == 33, "messages in flight")
        receives = poller.calls.made.count("receive")
        await poller.stop(within_s=6)
        assert poller.calls.made.count("receive") == receives
        assert world.queue.messages == {}
        assert world.queue.poison == ["what?"]
        assert poller.count("retried") == 0
    assert poller.in_flight == 0


@virtual_time
async def test_a_stop_without_a_broker_abandons_the_messages_in_flight() -> None:
    """Within the deadline, and so that other consumers can receive them at once."""
    world = World()
    for number in range(40):
        world.queue.put(state(f"p{number}", 1))
    world.broker.never_confirms = lambda _update: True
    poller = world.start(reconnect_s=None)
    async with world.running(poller):
        await world.until(lambda: poller.in_flight == 40, "messages in flight")
        world.broker.disconnect_all()
        await poller.stop(within_s=9)
        assert all(one.visible_at <= now() for one in world.queue.messages.values())
        assert len(world.queue.messages) == 40
    assert poller.count("retried") == 40
    assert poller.in_flight == 0
    world.broker.never_confirms = lambda _update: False
    async with world.running():
        await world.rest()


@virtual_time
async def test_a_stop_meets_its_deadline_when_the_queue_hangs() -> None:
    """Neither a poll nor a deletion without an answer delays it."""
    world = World()
    world.queue.put(state("a", 1))
    poller = world.start(queue_latency_s=lambda: 0.01 if now() < 0.05 else 60.0)
    async with world.running(poller):
        await world.until(lambda: poller.count("published") == 1, "a publish")
        await asyncio.sleep(5)
        await poller.stop(within_s=9.5)
    assert poller.count("retried") == 0, "it counts as published"


@virtual_time
async def test_a_stop_deletes_a_settled_message_instead_of_abandoning_it() -> None:
    """A deletion that failed so far is tried once more."""
    world = World()
    world.queue.put(state("a", 1))
    world.queue.put("what?")
    poller = world.start(
        fault=lambda operation: (
            Fault.LOST_REQUEST if operation == "delete" and now() < 8.9 else None
        )
    )
    async with world.running(poller):
        await asyncio.sleep(5)
        await poller.stop(within_s=9.5)
        assert world.queue.messages == {}
    assert poller.calls.made.count("release") == 0
    assert len(world.queue.poison) == 1


@virtual_time
async def test_a_stop_before_the_first_connection_is_immediate() -> None:
    """No message is in flight."""
    world = World()
    poller = world.start(connected=False)
    async with world.running(poller):
        await asyncio.sleep(5)
        await poller.stop(within_s=0.1)
    assert poller.calls.made == []


@virtual_time
async def test_broker_events_after_the_end_of_the_worker_are_ignored() -> None:
    """The MQTT session outlives the worker."""
    world = World()
    world.queue.put(state("a", 9))
    poller = world.start()
    async with world.running(poller):
        await world.rest()
        poller.stopping.set()
        await poller.running
        known = world.broker.accepted[0]
        older = replace(known, order=order(1), payload=b"{}")
        poller.listener.on_state(older)
        poller.listener.on_lost()
        poller.listener.on_ready()
        poller.broker.close()


@virtual_time
async def test_an_unexpected_error_ends_the_worker() -> None:
    """A worker with a bug must not stay alive without working."""
    world = World()
    world.queue.put(state("a", 1))
    poller = world.start()

    def broken(*_given: object) -> None:
        raise KeyError("a bug")

    poller.broker.publish_state = broken  # type: ignore[method-assign,assignment]
    with pytest.raises(ExceptionGroup) as caught:
        await poller.running
    assert caught.group_contains(KeyError, match="a bug")
    assert list(world.queue.messages) == ["m0"]
    poller.broker.close()
