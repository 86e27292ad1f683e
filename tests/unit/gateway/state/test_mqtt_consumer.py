"""Messages from the broker: what is stored, published, counted and logged."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from contract.frames import Updates
from contract.states import NOT_CONNECTED
from contract.timestamps import MAX_CLOCK_SKEW_MS
from gateway.clock import unix_ms
from gateway.state import mqtt_consumer as module
from gateway.state.mqtt_consumer import last_seen_ms
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.strategies import EPOCH_MS, fields, update
from tests.unit.gateway.subscribers import Client
from tests.waiting import until


class Clock:
    """A clock that shows what it is set to, in Unix milliseconds."""

    def __init__(self) -> None:
        self.ms = EPOCH_MS

    def __call__(self) -> int:
        return self.ms


class World(GatewayCore):
    """A gateway core with a clock that tests set."""

    def __init__(self, *, expire_after_ms: int = 30_000) -> None:
        self.time = Clock()
        super().__init__(clock=self.time, expire_after_ms=expire_after_ms)

    def received(self, outcome: str) -> float:
        """Return how many messages had this outcome."""
        return self.count("received_total", outcome=outcome)

    async def connect(self) -> Client:
        """Return a client that has its snapshot."""
        client = Client(self.dispatcher)
        await until(lambda: bool(client.frames), "sent a snapshot")
        assert kinds(client) == ["Snapshot"]
        return client

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Check for expired pillows meanwhile."""
        task = asyncio.ensure_future(self.consumer.run())
        try:
            yield
        finally:
            task.cancel()


def kinds(client: Client) -> list[str]:
    """Return the kinds of the frames that a client was sent since the last call."""
    return [type(frame).__name__ for frame in client.take_frames()]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def logged() -> Iterator[list[structlog.typing.EventDict]]:
    """What was logged during the test."""
    with structlog.testing.capture_logs() as lines:
        yield lines


async def flush() -> None:
    """Let the dispatcher flush: it does in the next turn of the event loop."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


hops = st.one_of(st.none(), st.integers(EPOCH_MS - 10**6, EPOCH_MS + 10**6))


@given(st.integers(-(10**6), 10**6), hops, hops, st.booleans())
def test_last_seen_is_never_after_now(
    at: int, queued: int | None, published: int | None, retained: bool
) -> None:
    """Whatever the clocks of pillow, queue and poller show."""
    given = update(at=at, hops={"queued": queued, "published": published})

    assert last_seen_ms(given, retained=retained, now_ms=EPOCH_MS) <= EPOCH_MS


@pytest.mark.parametrize(
    ("hops", "retained", "expected"),
    [
        ({}, False, 0),
        ({"queued": 10, "published": 15}, False, -5),
        ({"queued": 15, "published": 10}, False, 0),
        ({"published": 10}, False, 0),
        ({"queued": 10}, False, 0),
        ({"queued": "10", "published": None}, False, 0),
        ({}, True, -500),
        ({"published": EPOCH_MS - 300}, True, -300),
        ({"queued": EPOCH_MS - 400, "published": EPOCH_MS - 300}, True, -400),
        ({"queued": EPOCH_MS, "published": EPOCH_MS + 300}, True, -300),
    ],
)
def test_last_seen_is_now_minus_the_wait_or_what_a_retained_state_says(
    hops: dict[str, object], retained: bool, expected: int
) -> None:
    """A new state is as old as it waited in the queue."""
    given = update(at=-500, hops=hops)

    assert last_seen_ms(given, retained=retained, now_ms=EPOCH_MS) == EPOCH_MS + expected


async def test_states_that_arrive_in_one_turn_leave_in_one_frame(world: World) -> None:
    """The dispatcher flushes once for all of them."""
    client = await world.connect()
    for at in range(5):
        world.receive_state(update(at=at))
    assert kinds(client) == []

    await flush()

    (frame,) = client.take_frames()
    assert isinstance(frame, Updates)
    assert len(frame.pillows) == 5
    assert world.received("taken") == 5
    assert world.count("delivered_updates_total") == 5


async def test_a_message_that_changes_nothing_is_counted_by_its_reason(world: World) -> None:
    """Clients are not sent anything."""
    world.receive_state(update(at=1))
    client = await world.connect()
    world.receive_state(update(at=1))
    world.receive_state(update(at=0))
    world.receive("pillow/bridge/poller/here/dead-letter", b"{}")
    world.receive("other/cloud-1/state", b"{}")
    world.receive("pillow/cloud-9/state", b"")
    await flush()

    assert kinds(client) == []
    assert world.received("repeated") == 1
    assert world.received("older") == 1
    assert world.received("unknown-topic") == 2
    assert world.received("removed") == 1


async def test_a_state_more_than_five_minutes_in_the_future_is_refused(world: World) -> None:
    """Stored, it would hide every state of its pillow until then."""
    client = await world.connect()
    world.receive_state(update("cloud-1", MAX_CLOCK_SKEW_MS + 1), retained=True)
    world.receive_state(update("cloud-1", 5))
    await flush()

    assert world.received("ahead") == 1
    assert len(client.changes) == 1
    world.time.ms += 2
    world.receive_state(update("cloud-1", MAX_CLOCK_SKEW_MS + 1))
    assert world.received("taken") == 2


async def test_an_invalid_message_is_counted_each_time_and_logged_once_a_topic(
    world: World, logged: list[structlog.typing.EventDict]
) -> None:
    """A faulty publisher repeats its fault."""
    for payload in (b"nonsense", b"\xff", b"[]", b"null", b"{}", b"[" * 100_000):
        world.receive("pillow/cloud-1/state", payload)
        world.receive("pillow/cloud-2/availability", payload)

    assert world.received("invalid") == 12
    assert [line["topic"] for line in logged] == [
        "pillow/cloud-1/state",
        "pillow/cloud-2/availability",
    ]
    assert all(line["reason"] for line in logged)
    assert len(world.store) == 0


async def test_invalid_messages_of_at_most_max_warned_topics_are_logged(
    world: World, logged: list[structlog.typing.EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log and the set of topics are bounded; the counter goes on."""
    monkeypatch.setattr(module, "MAX_WARNED_TOPICS", 3)
    for number in range(10):
        world.receive(f"pillow/cloud-{number}/state", b"nonsense")

    assert len(logged) == 3
    assert world.received("invalid") == 10


async def test_an_empty_payload_removes_the_pillow(world: World) -> None:
    """Clients are sent its removal."""
    world.receive_state(update())
    client = await world.connect()
    world.receive("pillow/cloud-1/state", b"")
    await flush()

    assert kinds(client) == ["Removed"]
    assert len(world.store) == 0


async def test_an_empty_availability_clears_offline(world: World) -> None:
    """The retained last will was deleted; then only silence counts."""
    world.receive("pillow/cloud-1/availability", b"offline", retained=True)
    world.receive_state(update(), retained=True)
    before = world.store.state("cloud-1")
    world.receive("pillow/cloud-1/availability", b"")
    after = world.store.state("cloud-1")

    assert before is not None
    assert fields(before)["state"] == NOT_CONNECTED
    assert after == update().payload
    assert world.received("availability") == 2


async def test_a_retained_state_older_than_the_expiry_is_shown_as_notconnected(
    world: World,
) -> None:
    """Its `at` gives its age, also when the gateway has just started."""
    world.receive_state(update(at=-31_000), retained=True)

    shown = world.store.state("cloud-1")
    assert shown is not None
    assert fields(shown)["state"] == NOT_CONNECTED
    assert world.count("queued_to_sent_seconds_count") == 0


async def test_the_time_from_queue_to_client_is_measured_for_new_states_only(
    world: World,
) -> None:
    """A retained state has been waiting at the broker."""
    queued = EPOCH_MS - 20
    world.receive_state(update(at=1, hops={"queued": queued}))
    world.receive_state(update(at=2, hops={"queued": queued}), retained=True)
    world.receive_state(update(at=3))

    assert world.count("queued_to_sent_seconds_count") == 1
    assert world.count("queued_to_sent_seconds_sum") == pytest.approx(0.02)


async def test_clients_are_sent_the_brokers_status_after_the_changes_before_it(
    world: World,
) -> None:
    """A state that arrives before the broker is ready is sent before its status."""
    client = await world.connect()
    world.consumer.on_broker_ready()
    assert world.count("broker_up") == 1
    world.consumer.on_broker_lost()
    assert world.count("broker_up") == 0
    assert kinds(client) == ["Status", "Status"]
    world.receive_state(update())
    world.consumer.on_broker_ready()

    assert kinds(client) == ["Updates", "Status"]


async def test_the_goodbye_frame_comes_after_the_last_changes(world: World) -> None:
    """What was received is sent before the restart."""
    client = await world.connect()
    world.receive_state(update())
    world.dispatcher.announce_restart()

    assert kinds(client) == ["Updates", "Goodbye"]


async def test_a_pillow_is_published_as_notconnected_after_its_deadline() -> None:
    """Without any other event."""
    world = World(expire_after_ms=50)
    world.consumer.on_broker_ready()
    world.receive_state(update())
    client = await world.connect()
    async with world.running():
        world.time.ms += 50
        await until(lambda: bool(client.frames), "sent the expiry")

    assert kinds(client) == ["Updates"]
    assert world.count("expired_total") == 1


async def test_nothing_expires_while_the_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The expiry time starts again when the broker is back."""
    world = World(expire_after_ms=50)
    checks = 0

    def pause_s() -> float:
        nonlocal checks
        checks += 1
        return 0.001

    monkeypatch.setattr(world.consumer, "_expiry_pause_s", pause_s)

    async def check_several_times() -> None:
        before = checks
        await until(lambda: checks >= before + 5, "checked for expired pillows")

    world.consumer.on_broker_ready()
    world.receive_state(update())
    world.consumer.on_broker_lost()
    async with world.running():
        world.time.ms += 10_000
        await check_several_times()
        assert world.store.state("cloud-1") == update().payload
        world.consumer.on_broker_ready()
        world.time.ms += 49
        await check_several_times()
        assert world.store.state("cloud-1") == update().payload
        world.time.ms += 1
        await until(lambda: world.store.state("cloud-1") != update().payload, "expired")

    assert world.count("expired_total") == 1


@given(st.one_of(st.none(), st.integers(-(10**6), 10**6)), st.booleans())
def test_the_pause_between_expiry_checks_is_bounded(
    until_deadline_ms: int | None, ready: bool
) -> None:
    """Long enough not to spin, short enough for a deadline that is scheduled meanwhile."""
    world = World(expire_after_ms=30_000)
    world.consumer._broker_is_ready = ready
    if until_deadline_ms is not None:
        world.put(update())
        world.time.ms += 30_000 - until_deadline_ms

    pause_s = world.consumer._expiry_pause_s()

    assert module.MIN_EXPIRY_CHECK_S <= pause_s <= module.EXPIRY_CHECK_S
    if ready and until_deadline_ms is not None and until_deadline_ms < 0:
        assert pause_s == module.MIN_EXPIRY_CHECK_S


def test_the_wall_clock_is_in_unix_milliseconds() -> None:
    """Seconds or microseconds would be out of this range."""
    assert 1_700_000_000_000 < unix_ms() < 10_000_000_000_000
