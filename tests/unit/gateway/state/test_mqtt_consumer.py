"""Messages from the broker: what is stored, published, counted and logged."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from contract.availability import KEPT_BY, POLLER
from contract.frames import Snapshot, Status, Updates
from contract.states import NOT_CONNECTED
from contract.timestamps import MAX_CLOCK_SKEW_MS
from contract.updates import EXPIRY_S
from gateway.state import mqtt_consumer as module
from gateway.state.mqtt_consumer import EXPIRY_CHECK_S
from runtime import log_repeats
from runtime.clocks import unix_ms
from runtime.mqtt.properties import publish_properties
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


class WallClock:
    """A wall clock: it follows the monotonic one, and can be set."""

    monotonic: Clock
    set_by_ms = 0

    def __call__(self) -> int:
        return self.monotonic() + self.set_by_ms


class World(GatewayCore):
    """A gateway core with two clocks that tests set: `time` is monotonic, `wall` may be set."""

    def __init__(self, *, expire_after_ms: int = 30_000, max_pillows: int = 1000) -> None:
        self.time, self.wall = Clock(), WallClock()
        self.wall.monotonic = self.time
        super().__init__(
            clock=self.wall,
            monotonic=self.time,
            expire_after_ms=expire_after_ms,
            max_pillows=max_pillows,
        )

    def shown(self, pillow: str = "cloud-1") -> object:
        """Return the state that clients see of a pillow."""
        payload = self.store.state(pillow)
        assert payload is not None
        return fields(payload)["state"]

    def check(self) -> None:
        """Do all that a check for expired pillows does."""
        steps = self.consumer._due()
        while not self.consumer._run_slice(steps):
            pass

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


async def test_invalid_messages_of_at_most_max_keys_topics_are_logged(
    world: World, logged: list[structlog.typing.EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log and the set of topics are bounded; the counter goes on."""
    monkeypatch.setattr(log_repeats, "MAX_KEYS", 3)
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
    world.receive_state(update())
    world.receive("pillow/cloud-1/availability", b"offline")
    before = world.shown()
    world.receive("pillow/cloud-1/availability", b"")

    assert before == NOT_CONNECTED
    assert world.store.state("cloud-1") == update().payload
    assert world.received("availability") == 2


async def test_a_pollers_word_does_not_change_what_this_gateway_thinks_of_a_silence(
    world: World,
) -> None:
    """It may cross a newer state, and GATEWAY_EXPIRE_AFTER may be longer; the will counts."""
    kept = publish_properties(None, 60, ((KEPT_BY, POLLER),))[1:]
    world.receive_state(update())
    world.receive("pillow/cloud-1/availability", b"offline", properties=kept)
    assert world.store.state("cloud-1") == update().payload

    world.receive("pillow/cloud-1/availability", b"offline")
    world.receive("pillow/cloud-1/availability", b"online", properties=kept)
    assert world.shown() == NOT_CONNECTED
    assert world.received("availability") == 3


async def test_a_retained_state_older_than_the_expiry_is_shown_as_notconnected(
    world: World,
) -> None:
    """Its `at` gives its age, also when the gateway has just started."""
    world.receive_state(update(at=-31_000), retained=True)

    shown = world.store.state("cloud-1")
    assert shown is not None
    assert fields(shown)["state"] == NOT_CONNECTED
    await flush()
    assert world.count("queued_to_sent_seconds_count") == 0


async def test_the_time_from_queue_to_client_is_measured_in_the_queues_time(
    world: World,
) -> None:
    """A retained state has been waiting at the broker; this machine's clock may show anything."""
    world.wall.set_by_ms = 7_200_000
    hops = {"queued": EPOCH_MS - 30, "published": EPOCH_MS - 10}
    world.receive_state(update(at=1, hops=hops))
    world.receive_state(update(at=2, hops=hops), retained=True)
    world.receive_state(update(at=3))
    await until(lambda: world.count("queued_to_sent_seconds_count") > 0, "flushed")

    assert world.count("queued_to_sent_seconds_count") == 1
    assert world.count("queued_to_sent_seconds_sum") == pytest.approx(0.02)
    assert world.count("published_to_sent_seconds_count") == 1
    assert world.count("published_to_sent_seconds_sum") == 0.0, "the fastest way is the measure"


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


async def test_clients_are_told_where_the_broker_delivers_no_retained_states(
    world: World,
) -> None:
    """In `status` and in each later snapshot, until the broker is another one."""
    client = await world.connect()
    world.consumer.on_broker_ready(delivers_retained=False)
    (status,) = client.take_frames()
    assert status == Status("online", retained=False)
    newcomer = Client(world.dispatcher)
    await until(lambda: bool(newcomer.frames), "sent a snapshot")
    (snapshot,) = newcomer.frames
    assert isinstance(snapshot, Snapshot)
    assert snapshot.retained is False

    world.consumer.on_broker_lost()
    world.consumer.on_broker_ready()
    assert client.take_frames() == [Status("offline"), Status("online")]


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
    world.consumer.on_broker_ready()
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


@pytest.mark.parametrize("set_by_ms", [-3_600_000, 3_600_000, 7_200_000])
@pytest.mark.parametrize("has_hops", [False, True])
async def test_a_wall_clock_that_is_set_changes_nothing_for_pillows(
    world: World, set_by_ms: int, has_hops: bool
) -> None:
    """A pillow that reports stays; one that is silent is shown so after 30 s."""
    world.consumer.on_broker_ready()
    slept_after_s = None
    for second in range(70):
        if second == 15:
            world.wall.set_by_ms = set_by_ms
        for pillow in ("talks", "silent") if second <= 20 else ("talks",):
            queue_ms = EPOCH_MS + second * 1000
            hops = {"queued": queue_ms, "published": queue_ms} if has_hops else None
            world.receive_state(update(pillow, second * 1000, hops=hops))
        world.check()
        assert world.shown("talks") == "hugging", f"after {second} s"
        if slept_after_s is None and world.shown("silent") == NOT_CONNECTED:
            slept_after_s = second - 20
        world.time.ms += 1000

    assert slept_after_s == 30


async def test_a_machine_that_slept_shows_no_state_from_before_as_live(world: World) -> None:
    """The monotonic clock goes on meanwhile; the next report wakes a pillow."""
    world.consumer.on_broker_ready()
    world.receive_state(update())
    world.time.ms += 3_600_000
    world.check()
    assert world.shown() == NOT_CONNECTED
    world.receive_state(update(at=3_600_000))

    assert world.shown() == "hugging"


async def test_what_arrived_during_a_stop_is_read_before_pillows_expire() -> None:
    """A process that was stopped for longer than the expiry has their reports in its socket."""
    world = World()
    world.consumer.on_broker_ready()
    world.receive_state(update())
    client = await world.connect()
    async with world.running():
        await asyncio.sleep(0)
        world.time.ms += 60_000
        asyncio.get_running_loop().call_later(
            EXPIRY_CHECK_S * 1.5, world.receive_state, update(at=1)
        )
        await until(lambda: bool(client.frames), "sent the report")

    assert client.changes == [("cloud-1", fields(update(at=1).payload)["at"])]


async def test_a_connection_that_flaps_does_not_keep_a_dead_pillow_alive(world: World) -> None:
    """The time during which the broker was reachable adds up."""
    world.consumer.on_broker_ready()
    world.receive_state(update())
    reachable_ms = 0
    while world.shown() == "hugging" and reachable_ms < 100_000:
        world.time.ms += 3_500
        reachable_ms += 3_500
        world.check()
        world.consumer.on_broker_lost()
        world.time.ms += 10_000
        world.receive_state(update(), retained=True)
        world.consumer.on_broker_ready()

    assert 30_000 <= reachable_ms <= 33_500


@pytest.mark.parametrize(
    ("expiry_s", "shown"),
    [(EXPIRY_S - 29, "hugging"), (EXPIRY_S - 31, NOT_CONNECTED)],
)
@pytest.mark.parametrize("set_by_ms", [-3_600_000, 0, 7_200_000])
async def test_a_broker_that_counts_down_tells_the_age_of_a_retained_state(
    world: World, expiry_s: int, shown: str, set_by_ms: int
) -> None:
    """Whatever the wall clock of this machine shows."""
    world.wall.set_by_ms = set_by_ms
    hops = {"queued": EPOCH_MS, "published": EPOCH_MS}
    world.receive_state(update(hops=hops), retained=True, expiry_s=expiry_s)

    assert world.shown() == shown


@pytest.mark.parametrize("expiry_s", [None, EXPIRY_S, EXPIRY_S + 100])
async def test_a_retained_age_is_corrected_when_the_queues_time_is_known(
    world: World, expiry_s: int | None
) -> None:
    """Until then the wall clock tells it, which is an hour ahead here."""
    world.wall.set_by_ms = 3_600_000
    world.consumer.on_broker_ready()
    for pillow, ago_ms in (("fresh", 5_000), ("old", 40_000)):
        hop = EPOCH_MS - ago_ms
        given = update(pillow, -ago_ms, hops={"queued": hop, "published": hop})
        world.receive_state(given, retained=True, expiry_s=expiry_s)
    world.check()
    assert (world.shown("fresh"), world.shown("old")) == (NOT_CONNECTED, NOT_CONNECTED)

    world.receive_state(update("live", hops={"queued": EPOCH_MS, "published": EPOCH_MS}))
    world.check()

    assert (world.shown("fresh"), world.shown("old")) == ("hugging", NOT_CONNECTED)
    assert not world.consumer._provisional


async def test_a_clock_that_is_behind_at_the_start_refuses_no_state_of_a_poller(
    world: World,
) -> None:
    """Its hops say what time it is at least."""
    world.wall.set_by_ms = -7_200_000
    world.clock._start_offset_ms = -7_200_000
    hops = {"queued": EPOCH_MS, "published": EPOCH_MS}
    world.receive_state(update("a", hops=hops), retained=True)
    world.receive_state(update("b", hops=hops))

    assert world.received("ahead") == 0
    assert (world.shown("b"), len(world.store)) == ("hugging", 2)


@pytest.mark.parametrize("retained", [False, True])
@pytest.mark.parametrize("hop", [-99999999999999, -1, 2**53, 10**400, 1.5, True, "1", 0])
async def test_hops_that_no_clock_shows_are_ignored(
    world: World, hop: object, retained: bool
) -> None:
    """A message is counted once, and no error follows."""
    given = update("evil")
    payload = given.payload[:-1] + b',"hops":{"queued":%b,"published":1763791200000}}' % (
        str(hop).lower().encode() if not isinstance(hop, str) else b'"1"'
    )
    world.receive("pillow/evil/state", payload, retained=retained)

    assert world.received("taken") == 1
    assert world.received("error") == 0
    assert len(world.store) == 1
    assert world.clock.read().queue_ms is None


async def test_a_direct_pillow_whose_clock_is_behind_is_awake_and_marked(
    world: World, logged: list[structlog.typing.EventDict]
) -> None:
    """It restarted with the hour of a power cut; what it sends is older than what is known."""
    world.consumer.on_broker_ready()
    world.receive_state(update(state="neutral"))
    for second in range(1, 41):
        world.time.ms += 1000
        world.receive_state(update(at=second * 1000 - 7_200_000))
        world.check()
        assert world.shown() == "neutral"

    shown = world.store.state("cloud-1")
    assert shown is not None
    assert fields(shown)["clock"] == "behind"
    assert world.count("clock_behind_total") == 40
    assert [line["topic"] for line in logged] == ["pillow/cloud-1/state"]


async def test_an_unexpected_error_is_counted_each_time_and_logged_once(
    world: World, logged: list[structlog.typing.EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message must not keep the others from being processed."""

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(world.presence, "receive", fail)
    for _ in range(10):
        world.receive_state(update())

    assert world.received("error") == 10
    assert len(logged) == 1


async def test_the_limit_of_pillows_is_logged_once_and_counted(
    logged: list[structlog.typing.EventDict],
) -> None:
    """However many ids somebody makes up."""
    world = World(max_pillows=3)
    for number in range(100):
        world.receive_state(update(f"p{number}"))

    assert len(world.store) == 3
    assert world.received("over-limit") == 97
    assert len(logged) == 1


async def test_a_wall_clock_that_differs_from_the_queues_is_logged_once(
    world: World, logged: list[structlog.typing.EventDict]
) -> None:
    """An operator sets it; a metric has the difference."""
    world.wall.set_by_ms = -90_000
    world.receive_state(update(hops={"queued": EPOCH_MS, "published": EPOCH_MS}))
    for _ in range(3):
        world.consumer._warn_of_offset()

    assert [line["queue_is_ahead_s"] for line in logged] == [90.0]
    assert world.count("clock_offset_seconds") == -90.0


async def test_many_pillows_that_fall_silent_together_do_not_hold_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The walk over them is interrupted after each slice."""
    world = World()
    world.consumer.on_broker_ready()
    for number in range(300):
        world.receive_state(update(f"p{number}"))
    monkeypatch.setattr(module, "SLICE_S", 0.0)
    turns = 0
    async with world.running():
        world.time.ms += 30_000
        while world.count("expired_total") < 300:
            before = world.count("expired_total")
            await asyncio.sleep(0)
            assert world.count("expired_total") - before <= 1
            turns += 1

    assert turns >= 300


async def test_a_broker_that_is_lost_ends_a_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest expires when it is back, and no change is left out."""
    world = World()
    world.consumer.on_broker_ready()
    for number in range(10):
        world.receive_state(update(f"p{number}"))
    monkeypatch.setattr(module, "SLICE_S", 0.0)
    world.time.ms += 30_000
    client = await world.connect()
    steps = world.consumer._due()
    for _ in range(4):
        assert not world.consumer._run_slice(steps)
    world.consumer.on_broker_lost()
    assert world.consumer._run_slice(steps)
    for number in range(10):
        world.receive_state(update(f"p{number}"), retained=True)
    world.consumer.on_broker_ready()
    world.check()
    await flush()

    assert len(client.changes) == 10
