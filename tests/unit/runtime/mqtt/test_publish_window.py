"""The window, with packets in memory."""

import asyncio
import time
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from runtime.mqtt.errors import BrokerLost, PublishRefused, PublishTooLarge
from runtime.mqtt.packets import decode_publish, packet_bounds
from runtime.mqtt.publish_window import FIRST_PACKET_ID, Publish, PublishWindow, WindowLimits
from tests.waiting import until


class Window:
    """A window and what it sent."""

    def __init__(self, limit: int = 2, *, ack_timeout_s: float = 10, most: int | None = None):
        self.packets: list[bytes] = []
        self.window = PublishWindow(self.packets.append, WindowLimits(limit, ack_timeout_s, most))

    def publish(self, payload: bytes = b"") -> asyncio.Future[None]:
        """Publish to one topic."""
        return self.window.publish(Publish("t", payload, retain=False, properties=b""))

    @property
    def sent(self) -> list[tuple[bytes, int]]:
        """Payload and packet id of all that was sent."""
        return [self._decode(packet) for packet in self.packets]

    def _decode(self, packet: bytes) -> tuple[bytes, int]:
        bounds = packet_bounds(packet, 0)
        assert bounds is not None
        decoded = decode_publish(packet[0], packet, *bounds, v5=False)
        assert decoded is not None
        return decoded[0].payload, decoded[1]


async def test_no_more_than_the_limit_is_in_flight_and_the_rest_follows_in_order() -> None:
    """One for each acknowledgement."""
    window = Window(limit=2)
    confirmed = [window.publish(b"%d" % number) for number in range(4)]
    assert [payload for payload, _ in window.sent] == [b"0", b"1"]
    window.window.acknowledge(window.sent[1][1], 0)
    assert [payload for payload, _ in window.sent] == [b"0", b"1", b"2"]

    assert [one.done() for one in confirmed] == [False, True, False, False]


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5))
async def test_every_publish_is_sent_once_in_order_and_completed_by_its_own_acknowledgement(
    acks: list[bool], limit: int
) -> None:
    """Whatever the order of publishes (False) and acknowledgements (True)."""
    window = Window(limit)
    confirmed: list[asyncio.Future[None]] = []
    acknowledged = 0
    for is_ack in acks:
        if not is_ack:
            confirmed.append(window.publish(b"%d" % len(confirmed)))
        elif acknowledged < len(window.sent):
            window.window.acknowledge(window.sent[acknowledged][1], 0)
            acknowledged += 1
        assert len(window.sent) == min(len(confirmed), acknowledged + limit)

    assert [payload for payload, _ in window.sent] == [b"%d" % n for n in range(len(window.sent))]
    assert [one.done() for one in confirmed] == [n < acknowledged for n in range(len(confirmed))]


async def test_packet_ids_are_not_pahos_and_not_in_flight() -> None:
    """They begin again after 65,535, and one that is in flight is left out."""
    window = Window(limit=65_535)
    kept = window.publish()
    for number in range(1, 65_536 - FIRST_PACKET_ID):
        window.publish()
        window.window.acknowledge(
            window.sent[number][1] if number < 3 else FIRST_PACKET_ID + number, 0
        )
    ids = [FIRST_PACKET_ID, FIRST_PACKET_ID + 1]
    window.publish()

    assert [packet_id for _, packet_id in window.sent[:2]] == ids
    assert window.sent[-1][1] == FIRST_PACKET_ID + 1
    assert not kept.done()


async def test_a_reason_code_from_0x80_is_a_refusal_that_names_topic_reason_and_setting() -> None:
    """0x10, no matching subscribers, is a success."""
    window = Window()
    accepted, refused, unknown = window.publish(), window.publish(), window.publish()
    window.window.acknowledge(FIRST_PACKET_ID, 0x10)
    window.window.acknowledge(FIRST_PACKET_ID + 1, 0x87)
    window.window.acknowledge(FIRST_PACKET_ID + 2, 0xFF)

    assert accepted.exception() is None
    with pytest.raises(PublishRefused, match=r"a publish to t \(Not authorized\); .* MQTT_URL"):
        refused.result()
    with pytest.raises(PublishRefused, match=r"reason 255"):
        unknown.result()


async def test_a_publish_above_the_brokers_maximum_packet_size_is_refused_here() -> None:
    """The broker would end the connection; the next one is sent. No ACL is the cause."""
    window = Window(most=20)
    refused, sent = window.publish(bytes(20)), window.publish()

    with pytest.raises(PublishTooLarge, match=r"has 27 bytes.*at most 20; raise its limit$"):
        refused.result()
    assert not sent.done()
    assert [payload for payload, _ in window.sent] == [b""]


async def test_a_publish_that_cannot_be_encoded_is_refused_and_the_next_one_is_sent() -> None:
    """Also if it waited: then the error must not reach the acknowledgement that made room."""
    window = Window(limit=1)
    window.publish(b"first")
    refused = window.window.publish(Publish("a/+", b"", retain=False, properties=b""))
    window.publish(b"next")
    window.window.acknowledge(FIRST_PACKET_ID, 0)

    with pytest.raises(PublishRefused, match="wildcard"):
        refused.result()
    assert [payload for payload, _ in window.sent] == [b"first", b"next"]


async def test_an_unknown_acknowledgement_is_logged() -> None:
    """It completes nothing."""
    window = Window()
    window.publish()
    with structlog.testing.capture_logs() as lines:
        window.window.acknowledge(1, 0)

    expected: list[dict[str, Any]] = [
        {
            "event": "broker acknowledged an unknown publish",
            "packet_id": 1,
            "log_level": "warning",
        }
    ]
    assert lines == expected


async def test_the_oldest_publish_decides_whether_an_acknowledgement_is_overdue() -> None:
    """With a timeout of nothing it is at once; with none in flight it never is."""
    late, early = Window(ack_timeout_s=-1), Window(ack_timeout_s=60)
    assert not late.window.is_overdue(1)
    late.publish()
    early.publish()

    assert (late.window.is_overdue(1), early.window.is_overdue(1)) == (True, False)


async def test_nothing_is_overdue_while_bytes_arrive_unless_later_publishes_overtake_it() -> None:
    """A slow link delays every acknowledgement; a broker that skips one does not."""
    loop = asyncio.get_running_loop()
    window = Window(limit=3, ack_timeout_s=0.02)
    window.publish()
    window.publish()
    end = loop.time() + 0.06
    while loop.time() < end:
        assert not window.window.is_overdue(0)
        await asyncio.sleep(0.01)

    assert window.window.is_overdue(0.03)
    window.window.acknowledge(FIRST_PACKET_ID + 1, 0)
    await until(lambda: window.window.is_overdue(0), "it is overtaken for as long")


async def test_a_process_that_stood_still_finds_nothing_overtaken() -> None:
    """No acknowledgement was read meanwhile, so the pause says nothing about the broker."""
    window = Window(limit=3, ack_timeout_s=0.02)
    window.publish()
    assert not window.window.is_overdue(0)
    time.sleep(0.05)  # noqa: ASYNC251 - the process stands still

    assert not window.window.is_overdue(0)


async def test_the_end_of_the_connection_fails_every_publish() -> None:
    """Those in flight and those that wait; one that was given up is left alone."""
    window = Window(limit=1)
    in_flight, waiting, given_up = window.publish(), window.publish(), window.publish()
    given_up.cancel()
    window.window.fail(BrokerLost("gone"))

    for one in (in_flight, waiting):
        with pytest.raises(BrokerLost, match="gone"):
            one.result()
    assert given_up.cancelled()


async def test_an_acknowledgement_of_a_publish_that_was_given_up_makes_room() -> None:
    """Whether it is a success or a refusal."""
    window = Window(limit=1)
    for reason in (0, 0x87):
        window.publish().cancel()
        window.window.acknowledge(window.sent[-1][1], reason)
    window.publish(b"next")

    assert window.sent[-1][0] == b"next"
