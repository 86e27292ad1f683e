"""The MQTT session against a real mosquitto: readiness, loss and recovery."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Literal

import aiomqtt
import pytest

from contract.topics import OFFLINE, ONLINE, Topics
from devstack import ports
from devstack.broker import Broker, User
from devstack.processes import ROOT, Program
from runtime.broker_url import parse_broker_url
from runtime.mqtt import (
    BrokerLost,
    Message,
    MqttSession,
    PublishRefused,
    SessionConfig,
    SessionLimits,
    Subscription,
)
from runtime.mqtt.own_status import STATUS_EXPIRY_S
from tests.machine import need_mosquitto
from tests.waiting import until

Protocol = Literal["5", "3.1.1"]
PROTOCOLS: tuple[Protocol, ...] = ("5", "3.1.1")

DEFAULTS = SessionLimits()
MANY = 2_500
PATIENCE_S = 30.0
"""A deadline in seconds for conditions that take a moment on an idle machine."""

both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)


class Session:
    """A session, and a record of its callbacks."""

    def __init__(
        self,
        url: str,
        topics: Topics,
        *,
        protocol: Protocol = "5",
        user: User = "poller",
        instance: str = "test",
        filters: Sequence[str] = (),
        no_local: bool = False,
        limits: SessionLimits = DEFAULTS,
    ) -> None:
        self.received: list[Message] = []
        self.fails_on: bytes | None = None
        self.received_when_ready: list[int] = []
        self.losses = 0
        self.stopping = asyncio.Event()
        self.session = MqttSession(
            SessionConfig(
                parse_broker_url(url),
                protocol,
                service=user,
                instance=instance,
                status_topic=topics.status(user, instance),
                mark_topic=topics.mark(user, instance),
                limits=limits,
            ),
            Subscription(filters, no_local=no_local),
            on_message=self._receive,
            on_ready=lambda: self.received_when_ready.append(len(self.received)),
            on_lost=self._lose,
        )
        self._running: asyncio.Task[None] | None = None

    @property
    def times_ready(self) -> int:
        """How often the session has become ready."""
        return len(self.received_when_ready)

    @property
    def payloads(self) -> list[bytes]:
        """What was received, oldest first."""
        return [message.payload for message in self.received]

    def start(self) -> None:
        """Start the session."""
        self._running = asyncio.ensure_future(self.session.run(self.stopping))

    async def ready(self) -> None:
        """Wait until the session is ready."""
        await within(self.session.wait_ready())

    async def stop(self) -> None:
        """Stop the session, and wait until it has ended."""
        self.stopping.set()
        if self._running is not None:
            await within(self._running)

    def _receive(self, message: Message) -> None:
        self.received.append(message)
        if message.payload == self.fails_on:
            raise RuntimeError("a bug in the handler")

    def _lose(self) -> None:
        self.losses += 1

    async def __aenter__(self) -> "Session":
        self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.stopping.set()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)


async def within(doing: Awaitable[object], seconds: float = PATIENCE_S) -> None:
    """Wait with a deadline."""
    async with asyncio.timeout(seconds):
        await doing


@pytest.fixture
def topics(prefix: str) -> Topics:
    """The topics of a deployment that no other test has."""
    return Topics(prefix)


@pytest.fixture
async def own_broker() -> AsyncIterator[Broker]:
    """A broker that a test may kill; not started yet."""
    need_mosquitto()
    broker = Broker(kind="mosquitto", topic_prefix="+")
    try:
        yield broker
    finally:
        await broker.close()


@asynccontextmanager
async def reader(broker: Broker, topic: str) -> AsyncIterator[list[tuple[bytes, bool]]]:
    """A plain client: the payloads on a topic as they arrive, and whether each was retained."""
    seen: list[tuple[bytes, bool]] = []

    async def read(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            seen.append((bytes(message.payload), bool(message.retain)))  # noqa: PERF401

    async with aiomqtt.Client(ports.HOST, broker.port) as client:
        await client.subscribe(topic, qos=1)
        reading = asyncio.ensure_future(read(client))
        try:
            yield seen
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


class Proxy:
    """Forwards TCP to a port; while frozen, its connections stay open and carry no data."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._target = port
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: set[asyncio.Task[object]] = set()
        self.held = b""
        """The bytes that arrived while it was frozen, from either side."""

    def freeze(self) -> None:
        """Forward nothing from now on, and close nothing."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Forward again."""
        self._flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        there_reader, there_writer = await asyncio.open_connection(ports.HOST, self._target)
        directions = [
            asyncio.ensure_future(self._forward(reader, there_writer)),
            asyncio.ensure_future(self._forward(there_reader, writer)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            for sink in (writer, there_writer):
                sink.transport.abort()
            self._open.discard(task)

    async def _forward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        pieces: asyncio.Queue[bytes] = asyncio.Queue()

        async def read() -> None:
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65536):
                    if not self._flowing.is_set():
                        self.held += data
                    pieces.put_nowait(data)
            pieces.put_nowait(b"")

        reading = asyncio.ensure_future(read())
        try:
            with contextlib.suppress(ConnectionError):
                while data := await pieces.get():
                    await self._flowing.wait()
                    sink.write(data)
                    await sink.drain()
        finally:
            reading.cancel()

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._accept, ports.HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


@both_protocols
async def test_a_session_is_ready_when_every_retained_message_has_arrived(
    broker: Broker, topics: Topics, protocol: Protocol
) -> None:
    """2,500 of them, more than the default queue limits of many brokers and clients."""
    url = broker.url_for("poller")
    async with Session(url, topics, protocol=protocol) as writer:
        await writer.ready()
        sent = [
            writer.session.publish(topics.state(f"cloud-{n}"), b"%d" % n, retain=True)
            for n in range(MANY)
        ]
        await within(asyncio.gather(*sent))

    filters = (topics.all_states, topics.all_availability)
    async with Session(url, topics, protocol=protocol, instance="b", filters=filters) as session:
        await session.ready()

        assert session.received_when_ready == [MANY]
        assert all(message.retained for message in session.received)
        assert set(session.payloads) == {b"%d" % n for n in range(MANY)}


@both_protocols
async def test_a_message_after_ready_is_not_marked_as_retained(
    broker: Broker, topics: Topics, protocol: Protocol
) -> None:
    """Although the broker retains it for later subscribers."""
    url = broker.url_for("poller")
    async with Session(url, topics, protocol=protocol, filters=[topics.all_states]) as session:
        await session.ready()
        topic = topics.state("cloud-1")
        await within(session.session.publish(topic, b"x", retain=True))
        await until(lambda: bool(session.received), "our own publish comes back")

        (message,) = session.received
        assert (message.topic, message.payload, message.retained) == (topic, b"x", False)


async def test_with_no_local_own_publishes_are_not_received(broker: Broker, topics: Topics) -> None:
    """Those of other sessions are."""
    url, filters = broker.url_for("poller"), [topics.all_states]
    async with (
        Session(url, topics, filters=filters, no_local=True) as session,
        Session(url, topics, instance="other") as other,
    ):
        await session.ready()
        await other.ready()
        await within(session.session.publish(topics.state("cloud-1"), b"ours"))
        await within(other.session.publish(topics.state("cloud-1"), b"theirs"))
        await until(lambda: bool(session.received), "the other's publish")

        assert session.payloads == [b"theirs"]


@both_protocols
async def test_publishes_arrive_in_the_order_of_the_calls(
    broker: Broker, topics: Topics, protocol: Protocol
) -> None:
    """Also if there are three times as many as may be in flight."""
    url, filters = broker.url_for("poller"), [topics.all_states]
    async with (
        Session(url, topics, protocol=protocol) as writer,
        Session(url, topics, protocol=protocol, instance="b", filters=filters) as listener,
    ):
        await writer.ready()
        await listener.ready()
        numbers = [b"%d" % n for n in range(3 * DEFAULTS.max_in_flight)]
        confirmed = [writer.session.publish(topics.state("cloud-1"), n) for n in numbers]
        await within(asyncio.gather(*confirmed))
        await until(lambda: len(listener.received) >= len(numbers), "all of them", within_s=30)

        assert listener.payloads == numbers
        assert (writer.losses, listener.losses) == (0, 0)


async def test_in_flight_publishes_stay_within_the_brokers_receive_maximum(
    broker: Broker, topics: Topics
) -> None:
    """MQTT 5 §4.9; mosquitto.conf sets it. Further publishes wait."""
    limits = SessionLimits(max_in_flight=60_000)
    most = 1000
    assert f"max_inflight_messages {most}\n" in (ROOT / "mosquitto/mosquitto.conf").read_text()
    async with Proxy(broker.port) as proxy:
        url = broker.url_for("poller", port=proxy.port)
        async with Session(url, topics, limits=limits) as session:
            await session.ready()
            proxy.freeze()
            sent = [session.session.publish(topics.state("c"), b"<>") for _ in range(most + 50)]
            await until(lambda: proxy.held.count(b"<>") >= most, "as many as it wants")
            proxy.thaw()
            await within(asyncio.gather(*sent))
            assert proxy.held.count(b"<>") == most


async def test_properties_reach_an_mqtt_5_subscriber(broker: Broker, topics: Topics) -> None:
    """Content type, format, expiry and user properties."""
    topic, url = topics.state("cloud-1"), broker.url_for("poller")
    async with (
        Session(url, topics) as session,
        aiomqtt.Client(ports.HOST, broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client,
    ):
        await session.ready()
        await client.subscribe(topic)
        await within(
            session.session.publish(
                topic,
                b"{}",
                content_type="application/json",
                expiry_s=60,
                user_properties=[("traceparent", "00-1")],
            )
        )
        message = await asyncio.wait_for(anext(aiter(client.messages)), PATIENCE_S)

    properties = message.properties
    assert properties is not None
    assert properties.ContentType == "application/json"  # type: ignore[attr-defined]
    assert properties.PayloadFormatIndicator == 1  # type: ignore[attr-defined]
    assert properties.MessageExpiryInterval == 60  # type: ignore[attr-defined]
    assert properties.UserProperty == [("traceparent", "00-1")]  # type: ignore[attr-defined]


async def test_properties_are_left_out_in_mqtt_3_1_1(broker: Broker, topics: Topics) -> None:
    """Nothing that matters is only in a property."""
    async with Session(broker.url_for("poller"), topics, protocol="3.1.1") as session:
        await session.ready()
        await within(
            session.session.publish(
                topics.state("cloud-1"), b"{}", content_type="application/json", expiry_s=60
            )
        )


@both_protocols
async def test_a_session_becomes_ready_when_the_broker_starts_later(
    own_broker: Broker, topics: Topics, protocol: Protocol
) -> None:
    """Until then every publish raises BrokerLost with the reason."""
    async with Session(own_broker.url_for("poller"), topics, protocol=protocol) as session:
        await until(lambda: "refused" in session.session.last_error, "an attempt that failed")
        assert session.session.last_error.startswith(f"{own_broker.url}: ")
        assert not session.session.is_ready
        with pytest.raises(BrokerLost, match=own_broker.url):
            session.session.publish(topics.state("cloud-1"), b"x")

        await own_broker.start()

        await session.ready()
        await within(session.session.publish(topics.state("cloud-1"), b"x"))
        assert (session.times_ready, session.losses) == (1, 0)


@both_protocols
async def test_a_session_reconnects_and_subscribes_again_after_the_broker_was_killed(
    own_broker: Broker, topics: Topics, protocol: Protocol
) -> None:
    """Publishes without an acknowledgement fail."""
    await own_broker.start()
    url, filters = own_broker.url_for("poller"), [topics.all_states]
    async with Session(url, topics, protocol=protocol, filters=filters) as session:
        await session.ready()
        own_broker.pause()
        pending = [session.session.publish(topics.state("cloud-1"), b"x") for _ in range(3)]
        own_broker.kill()
        await own_broker.wait()

        outcomes = await asyncio.wait_for(
            asyncio.gather(*pending, return_exceptions=True), PATIENCE_S
        )
        assert [type(one) for one in outcomes] == [BrokerLost] * 3
        assert (session.losses, session.session.is_ready) == (1, False)
        with pytest.raises(BrokerLost):
            session.session.publish(topics.state("cloud-1"), b"x")

        await own_broker.start()

        await session.ready()
        assert session.times_ready == 2
        await within(session.session.publish(topics.state("cloud-2"), b"again"))
        await until(lambda: b"again" in session.payloads, "our subscription is back")
        assert session.losses == 1


async def test_a_publish_that_the_acl_denies_raises_publish_refused(
    broker: Broker, topics: Topics
) -> None:
    """An acknowledgement alone is no success; the session stays ready."""
    async with Session(broker.url_for("gateway"), topics, user="gateway") as session:
        await session.ready()
        topic = topics.state("cloud-1")

        with pytest.raises(PublishRefused, match=topic):
            await within(session.session.publish(topic, b"x"))

        assert (session.session.is_ready, session.losses) == (True, 0)


@both_protocols
async def test_a_wrong_password_is_an_error_that_names_mqtt_url(
    broker: Broker, topics: Topics, protocol: Protocol
) -> None:
    """The error never contains the password."""
    url = f"mqtt://poller:s3cret@{ports.HOST}:{broker.port}"
    async with Session(url, topics, protocol=protocol) as session:
        await until(lambda: "MQTT_URL" in session.session.last_error, "the refusal", within_s=30)

        assert "not authori" in session.session.last_error.lower()
        assert "s3cret" not in session.session.last_error


@both_protocols
async def test_a_session_that_may_not_publish_its_status_is_not_ready_and_names_the_acl(
    broker: Broker, topics: Topics, protocol: Protocol
) -> None:
    """An MQTT 3.1.1 broker acknowledges what it discards."""
    limits = SessionLimits(response_timeout_s=1)
    async with Session(broker.url, topics, protocol=protocol, limits=limits) as session:
        await until(lambda: "ACL" in session.session.last_error, "the refusal", within_s=30)

        # Of the status and the mark, the one that the broker answers first.
        assert topics.status("poller", "test").removesuffix("status") in session.session.last_error
        assert (session.session.is_ready, session.times_ready) == (False, 0)


@both_protocols
async def test_two_sessions_with_one_instance_name_stay_connected(
    broker: Broker, topics: Topics, protocol: Protocol
) -> None:
    """A broker allows one connection per client id; the ids differ."""
    url = broker.url_for("poller")
    async with (
        Session(url, topics, protocol=protocol) as one,
        Session(url, topics, protocol=protocol) as other,
    ):
        await one.ready()
        await other.ready()
        for session in (one, other, one):
            await within(session.session.publish(topics.state("cloud-1"), b"x"))

        assert (one.times_ready, one.losses) == (1, 0)
        assert (other.times_ready, other.losses) == (1, 0)


@both_protocols
async def test_status_is_online_while_ready_and_offline_after_a_stop(
    broker: Broker, topics: Topics, protocol: Protocol
) -> None:
    """Live for subscribers, and retained for later ones."""
    status = topics.status("poller", "test")
    async with (
        reader(broker, status) as seen,
        Session(broker.url_for("poller"), topics, protocol=protocol) as session,
    ):
        await session.ready()
        await session.stop()
        await until(lambda: len(seen) == 2, "both")

        assert [payload for payload, _ in seen] == [ONLINE, OFFLINE]
        assert (session.losses, session.session.is_ready) == (1, False)
    async with reader(broker, status) as late:
        await until(lambda: late == [(OFFLINE, True)], "the retained status")


@pytest.mark.parametrize("end", ["abort", "stop"])
async def test_a_broker_drops_the_status_of_a_process_that_is_gone(
    broker: Broker, topics: Topics, end: Literal["abort", "stop"]
) -> None:
    """After a week (MQTT 5): where instances are named after containers, each leaves one."""
    seen: list[tuple[bytes, int]] = []
    async with (
        aiomqtt.Client(ports.HOST, broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client,
        Session(broker.url_for("poller"), topics) as session,
    ):
        await session.ready()
        await client.subscribe(topics.status("poller", "test"), qos=1)

        async def read() -> None:
            async for message in client.messages:
                expiry_s = getattr(message.properties, "MessageExpiryInterval", 0)
                seen.append((bytes(message.payload), expiry_s))

        reading = asyncio.ensure_future(read())
        await until(lambda: len(seen) == 1, "online")
        if end == "stop":
            await session.stop()
        else:
            session.session.abort()
        await until(lambda: len(seen) >= 2, "offline")
        reading.cancel()

    assert [payload for payload, _ in seen[:2]] == [ONLINE, OFFLINE]
    assert all(STATUS_EXPIRY_S - 60 < expiry_s <= STATUS_EXPIRY_S for _, expiry_s in seen)


@both_protocols
@pytest.mark.parametrize("end", ["kill", "terminate"])
async def test_status_is_offline_after_sigkill_and_after_sigterm(
    broker: Broker, topics: Topics, protocol: Protocol, end: Literal["kill", "terminate"]
) -> None:
    """As the last will, or published by the session."""
    status = topics.status("poller", "child")
    process = Program(
        "session",
        [sys.executable, "-m", "tests.integration.mqtt_session", broker.url_for("poller"),
         protocol, status],
    )  # fmt: skip
    async with reader(broker, status) as seen:
        await process.spawn()
        try:
            await process.log.wait_for("broker ready", within_s=PATIENCE_S)
            getattr(process, end)()
            code = await asyncio.wait_for(process.wait(), PATIENCE_S)
            await until(lambda: len(seen) == 2, "offline", within_s=PATIENCE_S)
        finally:
            await process.close()

    assert code == (-9 if end == "kill" else 0)
    assert [payload for payload, _ in seen] == [ONLINE, OFFLINE]


@both_protocols
async def test_a_half_open_connection_is_lost_after_a_missing_acknowledgement(
    broker: Broker, topics: Topics, protocol: Protocol
) -> None:
    """Nothing closes it; the session recovers when data flows again."""
    # A ping would find it as well, but not as long as this test waits.
    limits = SessionLimits(response_timeout_s=1, keepalive_s=120)
    async with Proxy(broker.port) as proxy:
        url = broker.url_for("poller", port=proxy.port)
        async with Session(url, topics, protocol=protocol, limits=limits) as session:
            await session.ready()
            proxy.freeze()
            pending = session.session.publish(topics.state("cloud-1"), b"x")

            with pytest.raises(BrokerLost):
                await within(pending)

            assert (session.losses, session.session.is_ready) == (1, False)
            proxy.thaw()
            await session.ready()


@both_protocols
async def test_a_half_open_connection_is_lost_after_a_missing_ping_response(
    broker: Broker, topics: Topics, protocol: Protocol
) -> None:
    """A gateway publishes too seldom to miss an acknowledgement."""
    limits = SessionLimits(response_timeout_s=1, keepalive_s=2)
    async with Proxy(broker.port) as proxy:
        url = broker.url_for("gateway", port=proxy.port)
        async with Session(
            url, topics, user="gateway", protocol=protocol, limits=limits
        ) as session:
            await session.ready()
            proxy.freeze()

            await until(lambda: session.losses == 1, "the loss", within_s=PATIENCE_S)


@both_protocols
async def test_a_stop_on_a_half_open_connection_takes_no_more_than_its_timeout(
    broker: Broker, topics: Topics, protocol: Protocol
) -> None:
    """It ends without an acknowledgement of `offline`."""
    # Nothing else ends the wait for it while this test waits.
    limits = SessionLimits(response_timeout_s=600, keepalive_s=120)
    async with Proxy(broker.port) as proxy:
        url = broker.url_for("poller", port=proxy.port)
        async with Session(url, topics, protocol=protocol, limits=limits) as session:
            await session.ready()
            proxy.freeze()

            await session.stop()


async def test_a_stop_during_the_back_off_is_immediate(
    own_broker: Broker, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While there is no broker; the next attempt would be after this test."""
    monkeypatch.setattr("runtime.backoff.Backoff.delay", lambda *_attempt: 600.0)
    async with Session(own_broker.url_for("poller"), topics) as session:
        await until(lambda: "refused" in session.session.last_error, "an attempt that failed")
        await session.stop()


async def test_an_exception_in_the_message_handler_does_not_end_the_session(
    broker: Broker, topics: Topics
) -> None:
    """It is logged, and the next message is delivered."""
    url, filters = broker.url_for("poller"), [topics.all_states]
    async with Session(url, topics, filters=filters) as session:
        session.fails_on = b"first"
        await session.ready()
        await within(session.session.publish(topics.state("cloud-1"), b"first"))
        await within(session.session.publish(topics.state("cloud-1"), b"second"))
        await until(lambda: len(session.received) == 2, "both")

        assert (session.payloads, session.losses) == ([b"first", b"second"], 0)
