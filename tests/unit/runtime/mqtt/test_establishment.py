"""How a connection becomes ready: retained sets that are slow, whole, and cut short."""

import asyncio
from dataclasses import replace

import pytest

from runtime.mqtt import Subscription
from tests.unit.runtime.mqtt.packets import Publish
from tests.unit.runtime.mqtt.scripted_broker import (
    PUBLISH,
    SUBSCRIBE,
    Client,
    ScriptedBroker,
)
from tests.unit.runtime.mqtt.test_session import LIMITS, MARK, both_protocols, keep
from tests.waiting import until


@both_protocols
async def test_a_retained_set_slower_than_the_response_timeout_is_had(v5: bool) -> None:
    """The deadline starts anew with what arrives: here five messages, each within it."""
    sending: list[asyncio.Task[None]] = []

    async def trickle(client: Client, marks: list[tuple[int, bytes]]) -> None:
        for number in range(5):
            await asyncio.sleep(0.15)
            topic = f"p/c{number}/state"
            client.send(Publish(topic, b"{}", retained=True).encode(v5=v5))
        for head, body in marks:
            broker._answer(client, head, body)

    def script(client: Client, head: int, body: bytes) -> bool:
        is_mark = head & 0xF0 == PUBLISH and body.endswith((b"direct", b"queued"))
        if is_mark and not sending:
            sending.append(asyncio.ensure_future(trickle(client, held)))
        if is_mark:
            held.append((head, body))
        return is_mark

    held: list[tuple[int, bytes]] = []
    broker = ScriptedBroker(v5=v5, script=script)
    async with broker.listening(), keep(broker, replace(LIMITS, response_timeout_s=0.5)) as kept:
        await kept.ready()

        assert len(kept.received) == 5
        assert len(broker.clients) == 1


@both_protocols
async def test_a_set_that_came_at_once_is_whole_without_the_queued_mark(v5: bool) -> None:
    """NATS holds it back for half a minute; no retained message came behind the direct mark."""

    def hold(client: Client, head: int, body: bytes) -> bool:
        if not body.endswith(b"queued") or head & 0xF0 != PUBLISH:
            return False
        at = 2 + len(MARK)
        client.send(b"\x40\x02" + body[at : at + 2])
        return True

    broker = ScriptedBroker(v5=v5, script=hold)
    async with broker.listening(), keep(broker, replace(LIMITS, settle_s=0.1)) as kept:
        await kept.ready()

        assert len(broker.clients) == 1


@both_protocols
async def test_a_set_that_was_cut_short_is_not_ready(v5: bool) -> None:
    """Retained messages came behind the direct mark, and the queued mark did not."""

    def cut(client: Client, head: int, body: bytes) -> bool:
        if not body.endswith(b"queued") or head & 0xF0 != PUBLISH:
            return False
        at = 2 + len(MARK)
        client.send(Publish("p/a/state", b"{}", retained=True).encode(v5=v5))
        client.send(b"\x40\x02" + body[at : at + 2])
        return True

    broker = ScriptedBroker(v5=v5, script=cut)
    limits = replace(LIMITS, settle_s=0.1, response_timeout_s=0.3)
    async with broker.listening(), keep(broker, limits) as kept:
        await until(lambda: len(broker.clients) >= 2, "a second attempt")

        assert "discarded the rest" in kept.session.last_error
        assert "ACL" not in kept.session.last_error


@both_protocols
async def test_a_set_that_comes_slowly_behind_the_direct_mark_is_had(v5: bool) -> None:
    """As from a broker with a window of one message: the settle time is not a total."""
    sending: list[asyncio.Task[None]] = []

    async def trickle(client: Client, head: int, body: bytes) -> None:
        for number in range(5):
            await asyncio.sleep(0.1)
            topic = f"p/c{number}/state"
            client.send(Publish(topic, b"{}", retained=True).encode(v5=v5))
        broker._answer(client, head, body)

    def script(client: Client, head: int, body: bytes) -> bool:
        is_queued = head & 0xF0 == PUBLISH and body.endswith(b"queued")
        if is_queued:
            at = 2 + len(MARK)
            client.send(b"\x40\x02" + body[at : at + 2])
            sending.append(asyncio.ensure_future(trickle(client, head, body)))
        return is_queued

    broker = ScriptedBroker(v5=v5, script=script)
    limits = replace(LIMITS, settle_s=0.3, response_timeout_s=1)
    async with broker.listening(), keep(broker, limits) as kept:
        await kept.ready()

        assert len(kept.received) == 5
        assert len(broker.clients) == 1


@both_protocols
async def test_a_set_that_goes_on_after_the_settle_time_needs_the_queued_mark(v5: bool) -> None:
    """A link that stalled looked like the end of the set; this one was cut short."""

    def script(client: Client, head: int, body: bytes) -> bool:
        if head & 0xF0 != PUBLISH:
            return False
        if body.endswith(b"queued"):
            at = 2 + len(MARK)
            client.send(b"\x40\x02" + body[at : at + 2])
            return True
        if body.endswith(b"confirming-1"):
            client.send(Publish("p/a/state", b"{}", retained=True).encode(v5=v5))
        return False

    broker = ScriptedBroker(v5=v5, script=script)
    limits = replace(LIMITS, settle_s=0.1, response_timeout_s=0.3)
    async with broker.listening(), keep(broker, limits) as kept:
        await until(lambda: len(broker.clients) >= 2, "a second attempt")

        assert "discarded the rest" in kept.session.last_error


@both_protocols
async def test_a_set_whose_order_is_not_kept_is_asked_for_again_with_qos_0(v5: bool) -> None:
    """rumqttd sends the marks first, and then at most a hundred with QoS 1; with QoS 0 all."""

    def cut(client: Client, head: int, body: bytes) -> bool:
        if head & 0xF0 == SUBSCRIBE and b"p/+/+" in body:
            broker._answer(client, head, body)
            for number in range(5):
                topic = f"p/c{number}/state"
                client.send(Publish(topic, b"{}", qos=0, retained=True).encode(v5=v5))
            return True
        if head & 0xF0 == PUBLISH and body.endswith(b"queued"):
            broker._answer(client, head, body)
            for number in range(3):
                topic = f"p/c{number}/state"
                client.send(Publish(topic, b"{}", retained=True).encode(v5=v5))
            return True
        return False

    broker = ScriptedBroker(v5=v5, script=cut)
    async with broker.listening(), keep(broker) as kept:
        await kept.ready()

        assert {message.topic for message in kept.received} == {f"p/c{n}/state" for n in range(5)}
        await until(lambda: bool(broker.last.sent(0xA0)), "UNSUBSCRIBE")
        assert b"p/+/+" in broker.last.sent(0xA0)[0]
        assert len(broker.clients) == 1


@both_protocols
async def test_a_set_that_does_not_come_again_does_not_keep_a_session_from_being_ready(
    v5: bool,
) -> None:
    """A broker that sends each retained message once."""

    def once(client: Client, head: int, body: bytes) -> bool:
        if head & 0xF0 == PUBLISH and body.endswith(b"queued"):
            broker._answer(client, head, body)
            client.send(Publish("p/a/state", b"{}", retained=True).encode(v5=v5))
            return True
        return False

    broker = ScriptedBroker(v5=v5, script=once)
    async with broker.listening(), keep(broker, replace(LIMITS, settle_s=0.1)) as kept:
        await kept.ready()

        assert len(kept.received) == 1
        assert len(broker.clients) == 1


@pytest.mark.parametrize(
    ("filters", "widened"),
    [
        (("p/+/state", "p/+/availability"), ["p/+/+"]),
        (("p/+/+",), ["p/+/#"]),
        (("p/#",), ["p/#"]),
        (("p",), ["p"]),
    ],
)
def test_a_widened_filter_matches_the_same_topics_by_another_text(
    filters: tuple[str, ...], widened: list[str]
) -> None:
    """Those that match everything below already stay."""
    assert Subscription(filters).widened == widened
