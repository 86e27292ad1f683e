"""The session against brokers that refuse, hang up and fall silent, under both protocols."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
import structlog

from runtime.mqtt import (
    BrokerLost,
    Message,
    MqttSession,
    PublishRefused,
    SessionConfig,
    SessionLimits,
    Subscription,
    connection,
    user_property,
)
from tests.unit.runtime.mqtt.packets import Publish, packed_properties, packet
from tests.unit.runtime.mqtt.scripted_broker import (
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PUBLISH,
    SUBSCRIBE,
    Client,
    ScriptedBroker,
)
from tests.waiting import until

STATUS = "p/bridge/test/one/status"
MARK = "p/bridge/test/one/mark"
LIMITS = SessionLimits(connect_timeout_s=5, response_timeout_s=5, stable_after_s=60)
both_protocols = pytest.mark.parametrize("v5", [True, False], ids=["5", "3.1.1"])


@dataclass
class Kept:
    """A session that is kept, and what its owner was told."""

    session: MqttSession
    stopping: asyncio.Event
    running: "asyncio.Task[None]"
    received: list[Message]
    losses: list[str]
    fails_on: bytes | None = None

    async def ready(self) -> None:
        """Wait until the session is ready."""
        async with asyncio.timeout(20):
            await self.session.wait_ready()

    async def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        self.stopping.set()
        async with asyncio.timeout(20):
            await self.running


@asynccontextmanager
async def keep(broker: ScriptedBroker, limits: SessionLimits = LIMITS) -> AsyncIterator[Kept]:
    """Keep a session with a broker."""
    received: list[Message] = []
    losses: list[str] = []

    def on_message(message: Message) -> None:
        received.append(message)
        if message.payload == kept.fails_on:
            raise RuntimeError("a bug in the handler")

    session = MqttSession(
        SessionConfig(
            broker.address, "5" if broker.v5 else "3.1.1", "test", "one", STATUS, MARK, limits
        ),
        Subscription(("p/+/state",)),
        on_message=on_message,
        on_lost=lambda: losses.append(session.last_error),
    )
    stopping = asyncio.Event()
    running = asyncio.ensure_future(session.run(stopping))
    kept = Kept(session, stopping, running, received, losses)
    try:
        yield kept
    finally:
        stopping.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@both_protocols
async def test_a_session_subscribes_behind_a_probe_and_publishes_online_last(
    v5: bool,
) -> None:
    """Retained, with QoS 1, when all retained messages have arrived."""
    async with ScriptedBroker(v5=v5).listening() as broker, keep(broker) as kept:
        await kept.ready()

        heads = [head for head, _ in broker.last.packets if head != 0x40]
        assert heads[0] == CONNECT
        # The probe, retained; SUBSCRIBE and the marks with QoS 0 and 1; the confirming mark; the
        # removal of the probe.
        assert heads[1:7] == [0x33, 0x82, 0x30, 0x32, 0x32, 0x33]
        statuses = [
            one for one in broker.last.packets if one[0] == 0x33 and STATUS.encode() in one[1]
        ]
        ((head, body),) = statuses
        assert head == 0x33
        assert STATUS.encode() in body
        assert body.endswith(b"online")


async def test_the_largest_packet_accepted_is_announced_in_mqtt_5() -> None:
    """As Maximum Packet Size (0x27) in CONNECT."""
    limits = replace(LIMITS, max_packet_bytes=5000)
    async with ScriptedBroker().listening() as broker, keep(broker, limits) as kept:
        await kept.ready()

        assert b"\x27" + (5000).to_bytes(4, "big") in broker.last.sent(CONNECT)[0]


@both_protocols
async def test_a_message_above_the_limit_is_discarded_with_an_error_in_the_log(v5: bool) -> None:
    """It is acknowledged, so that it does not come again; the connection goes on."""
    limits = replace(LIMITS, max_packet_bytes=5000)
    with structlog.testing.capture_logs() as lines:
        async with ScriptedBroker(v5=v5).listening() as broker, keep(broker, limits) as kept:
            await kept.ready()
            big, small = Publish("p/a/state", bytes(5000)), Publish("p/a/state", b"{}")
            broker.last.send(big.encode(v5=v5) + small.encode(v5=v5))
            await until(lambda: bool(kept.received), "the message behind it")

            assert kept.received == [Message("p/a/state", b"{}", retained=False)]
            await until(
                lambda: broker.last.sent(0x40)[-2:] == [b"\x00\x07"] * 2, "both acknowledgements"
            )
            assert kept.losses == []
            broker.last.send(big.encode(v5=v5))
            await until(lambda: kept.session.oversized == 2, "the second one is counted")

    (line,) = (one for one in lines if one["log_level"] == "error")
    assert line == {
        "event": "message discarded because it is above the limit; further ones are only counted",
        "topic": "p/a/state",
        "bytes": len(big.encode(v5=v5)),
        "limit": 5000,
        "log_level": "error",
    }


async def test_the_brokers_receive_maximum_limits_what_is_in_flight() -> None:
    """Two here; the third publish is sent when one of them is acknowledged."""
    held: list[bytes] = []

    def hold(client: Client, head: int, body: bytes) -> bool:
        if head & 0xF0 == PUBLISH and b"state" in body:
            held.append(body)
        return b"state" in body and head & 0xF0 == PUBLISH

    broker = ScriptedBroker(connack_properties=b"\x21\x00\x02", script=hold)
    async with broker.listening(), keep(broker) as kept:
        await kept.ready()
        sent = [kept.session.publish("p/a/state", b"%d" % number) for number in range(3)]
        await until(lambda: len(held) == 2, "two of them")
        broker.last.send(b"\x40\x02" + held[0][11:13])
        await until(lambda: len(held) == 3, "the third")

        await asyncio.wait_for(sent[0], 5)
        assert not sent[1].done()


async def test_a_publish_above_the_brokers_maximum_packet_size_is_refused() -> None:
    """Without a word to the broker, which would end the connection."""
    broker = ScriptedBroker(connack_properties=b"\x27\x00\x00\x00\x64")
    async with broker.listening(), keep(broker) as kept:
        await kept.ready()
        with pytest.raises(PublishRefused, match="at most 100"):
            await kept.session.publish("p/a/state", bytes(100))
        await asyncio.wait_for(kept.session.publish("p/a/state", b"{}"), 5)

        assert kept.losses == []


@both_protocols
async def test_a_hang_up_before_connack_ends_the_attempt_at_once(v5: bool) -> None:
    """Not when the response timeout is over; and the next attempt follows."""

    def hang_up(client: Client, _head: int, _body: bytes) -> bool:
        client.close()
        return True

    broker = ScriptedBroker(v5=v5, script=hang_up)
    async with broker.listening(), keep(broker, replace(LIMITS, response_timeout_s=600)) as kept:
        await until(lambda: len(broker.clients) >= 2, "a second attempt", within_s=10)

        assert "closed the connection without CONNACK" in kept.session.last_error
        assert ("MQTT_PROTOCOL" in kept.session.last_error) == v5


async def test_a_broker_that_never_sends_connack_costs_a_deadline_of_its_own() -> None:
    """A proxy that accepts and is silent; the error names the request that has no response."""
    broker = ScriptedBroker(script=lambda _client, _head, _body: True)
    limits = replace(LIMITS, connack_timeout_s=0.1, response_timeout_s=600)
    async with broker.listening(), keep(broker, limits) as kept:
        await until(lambda: len(broker.clients) >= 2, "a second attempt")

        assert "no response to CONNECT within 0.1 s" in kept.session.last_error


async def test_a_message_that_only_paho_decodes_is_delivered_and_acknowledged() -> None:
    """Here because it has more than 127 bytes of properties."""
    properties = packed_properties("application/json", 60, [("key", "x" * 200)])
    publish = Publish("p/a/state", b"{}", properties=properties)
    async with ScriptedBroker().listening() as broker, keep(broker) as kept:
        await kept.ready()
        broker.last.send(publish.encode(v5=True))
        await until(lambda: broker.last.sent(0x40)[-1:] == [b"\x00\x07"], "the acknowledgement")

        (message,) = kept.received
        assert message == Message("p/a/state", b"{}", retained=False, properties=properties)
        assert user_property(message.properties, "key") == "x" * 200


async def test_a_mark_that_the_broker_refuses_names_topic_and_acl() -> None:
    """By the reason code of the acknowledgement (MQTT 5)."""

    def refuse(client: Client, head: int, body: bytes) -> bool:
        if head & 0xF0 == PUBLISH:
            at = 2 + len(MARK)
            client.send(packet(0x40, body[at : at + 2] + b"\x87\x00"))
        return head & 0xF0 == PUBLISH

    async with ScriptedBroker(script=refuse).listening() as broker, keep(broker) as kept:
        await until(lambda: "ACL" in kept.session.last_error, "the refusal")

        assert f"a publish to {MARK} (Not authorized)" in kept.session.last_error


@both_protocols
async def test_a_mark_that_does_not_come_back_names_topic_and_acl(v5: bool) -> None:
    """An MQTT 3.1.1 broker acknowledges a publish that it discards."""

    def acknowledge_only(client: Client, head: int, body: bytes) -> bool:
        if head & 0xF6 == PUBLISH | 2:
            at = 2 + len(MARK)
            client.send(packet(0x40, body[at : at + 2]))
        return head & 0xF0 == PUBLISH

    broker = ScriptedBroker(v5=v5, script=acknowledge_only)
    async with broker.listening(), keep(broker, replace(LIMITS, response_timeout_s=0.2)) as kept:
        await until(lambda: "did not come back" in kept.session.last_error, "the timeout")

        assert MARK in kept.session.last_error
        assert "ACL" in kept.session.last_error


async def test_an_exception_in_the_message_handler_is_logged_and_does_not_end_the_session() -> None:
    """The next message is delivered."""
    with structlog.testing.capture_logs() as lines:
        async with ScriptedBroker().listening() as broker, keep(broker) as kept:
            kept.fails_on = b"first"
            await kept.ready()
            first, second = Publish("p/a/state", b"first"), Publish("p/a/state", b"second")
            broker.last.send(first.encode(v5=True) + second.encode(v5=True))
            await until(lambda: len(kept.received) == 2, "both")

            assert kept.losses == []
    assert [one["event"] for one in lines if one["log_level"] == "error"] == [
        "message handler failed; further errors of this kind are only counted"
    ]


@both_protocols
async def test_a_hang_up_before_ready_names_the_acl(v5: bool) -> None:
    """Some brokers refuse a publish like this; the sentence names topic and setting."""

    def hang_up(client: Client, head: int, _body: bytes) -> bool:
        if head & 0xF0 == PUBLISH:
            client.close()
        return head & 0xF0 == PUBLISH

    broker = ScriptedBroker(v5=v5, script=hang_up)
    async with broker.listening(), keep(broker) as kept:
        await until(lambda: "ACL" in kept.session.last_error, "the sentence")

        assert STATUS in kept.session.last_error
        assert "MQTT_URL" in kept.session.last_error


@pytest.mark.parametrize(
    ("packet_sent", "reason"),
    [
        (b"\xe0\x01\x87", "the broker ended the connection (Not authorized) before the session"),
        (b"\x00\x00", "the connection ended (Protocol error)"),
    ],
    ids=["DISCONNECT", "garbage"],
)
async def test_the_reason_of_a_loss_before_ready_is_given_once(
    packet_sent: bytes, reason: str
) -> None:
    """After one URL; with the ACL as its likely cause where the broker ended the connection."""

    def end(client: Client, head: int, _body: bytes) -> bool:
        if head & 0xF0 == PUBLISH:
            client.send(packet_sent)
        return head & 0xF0 == PUBLISH

    async with ScriptedBroker(script=end).listening() as broker, keep(broker) as kept:
        await until(lambda: len(broker.clients) > 1, "a second attempt")
        # The second loss has a reason of its own first, until its attempt has ended.
        whole = f"{broker.address}: {reason}"
        await until(lambda: kept.session.last_error.startswith(whole), whole)

        assert kept.session.last_error.startswith(whole)
        assert (f"write {MARK}" in kept.session.last_error) == ("broker ended" in reason)


@pytest.mark.parametrize(
    ("v5", "connack", "says"),
    [
        (True, b"\x00\x86", "Bad user name or password); check the user and password in MQTT_URL"),
        (False, b"\x00\x05", "Not authorized); check the user and password in MQTT_URL"),
        (True, b"\x00\x84", "Unsupported protocol version); set MQTT_PROTOCOL"),
        (True, b"\x00\x89", "Server busy)"),
        (False, b"\x00\x03", "Server unavailable)"),
    ],
)
async def test_a_refused_connection_says_why_and_what_to_do(
    v5: bool, connack: bytes, says: str
) -> None:
    """With the reason's name, and the setting where there is one."""
    broker = ScriptedBroker(v5=v5, connack=connack)
    async with broker.listening(), keep(broker) as kept:
        await until(lambda: "refused the connection" in kept.session.last_error, "the refusal")

        assert says in kept.session.last_error


@both_protocols
async def test_a_refused_subscription_names_the_filter(v5: bool) -> None:
    """And the ACL, which is where it is mended."""

    def refuse(client: Client, head: int, body: bytes) -> bool:
        if head & 0xF0 == SUBSCRIBE:
            client.send(packet(0x90, body[:2] + (b"\x00" if v5 else b"") + b"\x01\x01\x80"))
        return head & 0xF0 == SUBSCRIBE

    broker = ScriptedBroker(v5=v5, script=refuse)
    async with broker.listening(), keep(broker) as kept:
        await until(lambda: "p/+/state" in kept.session.last_error, "the refusal")

        assert "ACL" in kept.session.last_error


@dataclass
class Delays:
    """The delays that the session asked for, none of which is waited for."""

    attempts: list[int] = field(default_factory=list)

    def delay(self, attempt: int, _chance: float) -> float:
        """Note which attempt it is."""
        self.attempts.append(attempt)
        return 0.001


@pytest.mark.parametrize(("stable_after_s", "grows"), [(60, True), (0, False)])
async def test_the_back_off_starts_anew_only_after_a_stable_connection(
    stable_after_s: float, grows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that accepts and drops at once is retried more and more slowly."""
    delays = Delays()
    monkeypatch.setattr("runtime.mqtt.session._BACKOFF", delays)
    broker = ScriptedBroker()
    async with (
        broker.listening(),
        keep(broker, replace(LIMITS, stable_after_s=stable_after_s)) as kept,
    ):
        for number in range(3):
            await kept.ready()
            broker.last.close()
            await until(lambda: len(kept.losses) == number + 1, "the loss")  # noqa: B023

        await kept.ready()
        assert delays.attempts == ([0, 1, 2] if grows else [0, 0, 0])


async def test_a_stop_while_a_broker_does_not_answer_is_quick_and_closes_the_socket() -> None:
    """It accepts the connection and never sends CONNACK."""
    broker = ScriptedBroker(script=lambda _client, _head, _body: True)
    async with broker.listening(), keep(broker, replace(LIMITS, response_timeout_s=600)) as kept:
        await until(lambda: bool(broker.clients) and bool(broker.last.packets), "CONNECT")
        async with asyncio.timeout(5):
            await kept.stop()
        await until(lambda: broker.last.is_closed, "the end of the connection")


@both_protocols
async def test_a_stop_publishes_offline_and_then_disconnects(v5: bool) -> None:
    """In this order, so that the last will is neither needed nor published."""
    async with ScriptedBroker(v5=v5).listening() as broker, keep(broker) as kept:
        await kept.ready()
        await kept.stop()
        await until(lambda: bool(broker.last.sent(DISCONNECT)), "DISCONNECT")

        offline, disconnect = [
            (head, body)
            for head, body in broker.last.packets
            if head & 0xF0 in (PUBLISH, DISCONNECT)
        ][-2:]
        assert offline[0] == 0x33
        assert offline[1].endswith(b"offline")
        assert disconnect[0] == DISCONNECT
        assert len(kept.losses) == 1


@both_protocols
async def test_a_stop_before_ready_leaves_no_online_status(v5: bool) -> None:
    """The marks have not come back yet."""

    def acknowledge_only(client: Client, head: int, body: bytes) -> bool:
        if head & 0xF6 == PUBLISH | 2:
            at = 2 + int.from_bytes(body[:2], "big")
            client.send(b"\x40\x02" + body[at : at + 2])
        return head & 0xF0 == PUBLISH

    broker = ScriptedBroker(v5=v5, script=acknowledge_only)
    async with broker.listening(), keep(broker) as kept:
        await until(lambda: bool(broker.clients) and bool(broker.last.sent(SUBSCRIBE)), "SUBSCRIBE")
        await kept.stop()
        await until(lambda: bool(broker.last.sent(DISCONNECT)), "DISCONNECT")

        statuses = [body for body in broker.last.sent(PUBLISH) if STATUS.encode() in body]
        assert [body.endswith(b"offline") for body in statuses] == [True]
        assert kept.losses == []


async def test_an_abort_closes_without_disconnect_and_the_session_comes_back() -> None:
    """The broker publishes the last will, as for a pillow whose network is gone."""
    async with ScriptedBroker().listening() as broker, keep(broker) as kept:
        await kept.ready()
        first = broker.last
        kept.session.abort()
        assert not kept.session.is_ready
        with pytest.raises(BrokerLost):
            kept.session.publish("p/a/state", b"")
        await until(lambda: first.is_closed, "the end of the connection")

        assert first.sent(DISCONNECT) == []
        await kept.ready()


async def test_an_abort_without_a_connection_does_nothing() -> None:
    """There is nothing to close."""
    session = MqttSession(
        SessionConfig(ScriptedBroker().address, "5", "test", "one", STATUS, MARK, LIMITS)
    )
    session.abort()

    assert session.last_error.endswith("not connected yet")


async def test_a_missing_acknowledgement_ends_the_connection() -> None:
    """After the response timeout; the publish fails with the broker's name."""

    def ignore_states(_client: Client, head: int, body: bytes) -> bool:
        return head & 0xF0 == PUBLISH and b"state" in body

    broker = ScriptedBroker(script=ignore_states)
    async with broker.listening(), keep(broker, replace(LIMITS, response_timeout_s=0.2)) as kept:
        await kept.ready()
        with pytest.raises(BrokerLost, match=r"mqtt://.*no acknowledgement within 0.2 s"):
            await kept.session.publish("p/a/state", b"")


async def test_a_missing_ping_response_ends_the_connection() -> None:
    """After twice the keepalive."""

    def ignore_pings(_client: Client, head: int, _body: bytes) -> bool:
        return head & 0xF0 == PINGREQ

    broker = ScriptedBroker(script=ignore_pings)
    async with broker.listening(), keep(broker, replace(LIMITS, keepalive_s=1)) as kept:
        await kept.ready()
        await until(lambda: bool(kept.losses), "the loss", within_s=10)

        assert "nothing arrived for 1 s after a ping" in kept.losses[0]


async def test_a_connection_is_checked_at_once_when_the_machine_was_suspended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The clock of silence goes on meanwhile; the event loop's stands still."""
    slept_s = [0.0]
    monkeypatch.setattr(connection, "monotonic_s", lambda: time.monotonic() + slept_s[0])
    async with ScriptedBroker().listening() as broker, keep(broker) as kept:
        await kept.ready()
        assert broker.last.sent(PINGREQ) == []
        slept_s[0] = 300.0
        await until(lambda: bool(broker.last.sent(PINGREQ)), "a ping")

        assert kept.losses == []


async def test_a_disconnect_of_the_broker_says_why() -> None:
    """Here that another client took the session over (0x8E)."""
    async with ScriptedBroker().listening() as broker, keep(broker) as kept:
        await kept.ready()
        broker.last.send(b"\xe0\x01\x8e")
        await until(lambda: bool(kept.losses), "the loss")

        assert "the broker ended the connection (Session taken over)" in kept.losses[0]


@pytest.mark.parametrize(
    "garbage",
    [b"\x30\xff\xff\xff\xff\x01", b"\x00\x00", packet(0x30, b"\x00\x01\xff\x00"), b"\x90\x01\x00"],
    ids=["length", "unknown packet", "topic that is not UTF-8", "short SUBACK"],
)
async def test_a_broker_that_does_not_speak_mqtt_is_lost_not_a_crash(garbage: bytes) -> None:
    """The session reconnects, and says what was wrong."""
    async with ScriptedBroker().listening() as broker, keep(broker) as kept:
        await kept.ready()
        broker.last.send(garbage)
        await until(lambda: bool(kept.losses), "the loss")
        await kept.ready()

        assert len(broker.clients) == 2


async def test_a_burst_is_handled_in_pieces_with_turns_for_others_between() -> None:
    """64 KiB a turn: what arrived while the process was busy must not hold it up again."""
    async with ScriptedBroker().listening() as broker, keep(broker) as kept:
        await kept.ready()
        message = Publish("p/a/state", bytes(1000), qos=0).encode(v5=True)
        turns: list[int] = []

        def look() -> None:
            turns.append(len(kept.received))
            if turns[-1] < 1000:
                asyncio.get_running_loop().call_soon(look)

        broker.last.send(message * 1000)
        look()
        await until(lambda: len(kept.received) == 1000, "all of it")
        steps = [after - before for before, after in pairwise(turns)]

        assert max(steps) <= 2 * 65_536 // len(message) + 2


@both_protocols
async def test_an_outage_is_logged_once_however_many_attempts_it_lasts(
    v5: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reason that the broker itself gives is logged once too."""
    monkeypatch.setattr("runtime.mqtt.session._BACKOFF", Delays())
    broker = ScriptedBroker(v5=v5)
    with structlog.testing.capture_logs() as lines:
        async with broker.listening(), keep(broker) as kept:
            await kept.ready()
            broker.connack = b"\x00\x88" if v5 else b"\x00\x03"
            broker.last.close()
            await until(lambda: len(broker.clients) >= 6, "five attempts")
            broker.connack = b"\x00\x00"
            await kept.ready()

    events = [one["event"] for one in lines if one["log_level"] in ("warning", "info")]
    assert events == [
        "broker ready",
        "broker lost; reconnecting",
        "broker unavailable; retrying",
        "broker ready",
    ]


async def test_an_error_of_the_owner_at_a_loss_ends_the_session() -> None:
    """It must not be lost in a callback of asyncio; an error at a message is only logged."""

    def break_down() -> None:
        raise AssertionError("an invariant")

    async with ScriptedBroker().listening() as broker:
        session = MqttSession(
            SessionConfig(broker.address, "5", "test", "one", STATUS, MARK, LIMITS),
            on_lost=break_down,
        )
        running = asyncio.ensure_future(session.run(asyncio.Event()))
        await session.wait_ready()
        broker.last.close()
        await until(lambda: running.done() or len(broker.clients) > 1, "the end of the session")

        with pytest.raises(AssertionError, match="an invariant"):
            running.result()


@both_protocols
async def test_online_is_published_again_when_the_status_says_otherwise(v5: bool) -> None:
    """As when the last will of a predecessor that died silently comes late; `online` is right."""
    async with ScriptedBroker(v5=v5).listening() as broker, keep(broker) as kept:
        await kept.ready()

        def online() -> int:
            return sum(body.endswith(b"online") for body in broker.last.sent(PUBLISH))

        assert online() == 1
        broker.last.send(Publish(STATUS, b"offline").encode(v5=v5))
        await until(lambda: online() == 2, "online again")


def answered(broker: ScriptedBroker) -> list[bytes]:
    """The marks with which a session answered those of another one."""
    return [body for body in broker.last.sent(PUBLISH) if body.endswith(b" answer")]


async def test_another_process_with_the_instance_name_is_logged_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its marks have another token; a retained one may be of a process that has ended."""
    monkeypatch.setattr("runtime.mqtt.twin.ANSWER_S", 0.05)
    with structlog.testing.capture_logs() as lines:
        async with ScriptedBroker().listening() as broker, keep(broker) as kept:
            await kept.ready()
            broker.last.send(Publish(MARK, b"gone.1 probe", retained=True).encode(v5=True))
            assert not kept.session.has_twin
            answers = 0
            for _ in range(2):
                broker.last.send(Publish(MARK, b"other.1 queued").encode(v5=True))
                await until(lambda n=answers: len(answered(broker)) > n, "an answer")  # type: ignore[misc]
                answers = len(answered(broker))
            broker.last.send(Publish(MARK, b"other.1 answer").encode(v5=True))
            await until(lambda: kept.session.has_twin, "noticed")
            assert "instance name" in str(kept.session.limitation)

    warnings = [one["event"] for one in lines if "instance name" in one["event"]]
    assert len(warnings) == 1


async def test_bytes_that_are_not_mqtt_end_the_attempt_at_once() -> None:
    """An HTTP server answers CONNECT with an error, and may keep the connection open."""

    def answer(client: Client, _head: int, _body: bytes) -> bool:
        client.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return True

    broker = ScriptedBroker(script=answer)
    async with broker.listening(), keep(broker, replace(LIMITS, response_timeout_s=600)) as kept:
        await until(lambda: len(broker.clients) >= 2, "a second attempt")

        assert "does not speak MQTT" in kept.session.last_error
        assert "HTTP/1.1 400" in kept.session.last_error


@both_protocols
async def test_a_status_that_is_contradicted_as_the_session_becomes_ready_is_repeated(
    v5: bool,
) -> None:
    """The late will of a predecessor can come in one read with the acknowledgement of `online`."""

    def contradict(client: Client, head: int, body: bytes) -> bool:
        is_first = not will_sent and head & 0xF0 == PUBLISH and body.endswith(b"online")
        if is_first:
            will_sent.append(True)
            topic_end = 2 + len(STATUS)
            puback = b"\x40\x02" + body[topic_end : topic_end + 2]
            client.send(puback + Publish(STATUS, b"offline").encode(v5=v5))
        return is_first

    will_sent: list[bool] = []
    broker = ScriptedBroker(v5=v5, script=contradict)
    async with broker.listening(), keep(broker) as kept:
        await kept.ready()
        await until(lambda: kept.session.status_repetitions == 1, "published again")
