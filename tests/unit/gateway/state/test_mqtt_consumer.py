"""What arrives from MQTT, on its way into the store and out to who listens."""

import asyncio
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from contract.frames import Updates
from contract.states import NOT_CONNECTED
from contract.topics import Topics
from contract.updates import MAX_CLOCK_SKEW_MS, Update
from gateway.metrics import GatewayMetrics
from gateway.state import mqtt_consumer as module
from gateway.state.mqtt_consumer import MqttConsumer, heard_ms, wall_ms
from gateway.state.state_store import StateStore
from runtime.mqtt import Message
from tests.unit.gateway.strategies import EPOCH_MS, fields, update
from tests.unit.gateway.subscribers import Client, deliver
from tests.waiting import until

TOPICS = Topics("pillow")


class Clock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.ms = EPOCH_MS

    def __call__(self) -> int:
        return self.ms


class World:
    """A live side, its clock, and what it counts."""

    def __init__(self, *, expire_after_ms: int = 30_000) -> None:
        self.clock = Clock()
        self.metrics = GatewayMetrics()
        self.store = StateStore("ep", expire_after_ms=expire_after_ms, history_bytes=10_000)
        self.consumer = MqttConsumer(self.store, TOPICS, self.metrics, clock=self.clock)

    def receive(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        self.consumer.receive(Message(topic, payload, retained))

    def state(self, given: Update, *, retained: bool = False) -> None:
        self.receive(TOPICS.state(given.pillow), given.payload, retained=retained)

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"pillowcast_gateway_{name}", labels) or 0.0

    def received(self, outcome: str) -> float:
        return self.count("received_total", outcome=outcome)

    def browser(self) -> Client:
        """One that has its snapshot."""
        client = Client(self.consumer.dispatcher.planner)
        deliver(self.consumer.dispatcher.planner.flush(self.clock()))
        assert types(client) == ["Snapshot"]
        return client


def types(client: Client) -> list[str]:
    """What it was told since it was last asked, by kind."""
    return [type(frame).__name__ for frame in client.news()]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def said() -> Iterator[list[structlog.typing.EventDict]]:
    """What was logged."""
    with structlog.testing.capture_logs() as lines:
        yield lines


async def turn() -> None:
    """Let the event loop go round once."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


hops = st.one_of(st.none(), st.integers(EPOCH_MS - 10**6, EPOCH_MS + 10**6))


@given(st.integers(-(10**6), 10**6), hops, hops, st.booleans())
def test_a_sign_of_life_is_never_of_the_future(
    at: int, queued: int | None, published: int | None, live: bool
) -> None:
    """Whatever the clocks of pillow, queue and poller say."""
    told = update(at=at, hops={"queued": queued, "published": published})

    assert heard_ms(told, live=live, now_ms=EPOCH_MS) <= EPOCH_MS


@pytest.mark.parametrize(
    ("hops", "live", "expected"),
    [
        ({}, True, 0),
        ({"queued": 10, "published": 15}, True, -5),
        ({"queued": 15, "published": 10}, True, 0),
        ({"published": 10}, True, 0),
        ({"queued": 10}, True, 0),
        ({"queued": "10", "published": None}, True, 0),
        ({}, False, -500),
        ({"published": EPOCH_MS - 300}, False, -300),
        ({"queued": EPOCH_MS - 400, "published": EPOCH_MS - 300}, False, -400),
        ({"queued": EPOCH_MS, "published": EPOCH_MS + 300}, False, -300),
    ],
)
def test_when_a_pillow_was_heard(hops: dict[str, object], live: bool, expected: int) -> None:
    """News is as old as it lay in the queue, a retained state as old as it says."""
    told = update(at=-500, hops=hops)

    assert heard_ms(told, live=live, now_ms=EPOCH_MS) == EPOCH_MS + expected


async def test_a_state_goes_to_who_listens_in_the_same_turn_as_others(world: World) -> None:
    """All that arrives together leaves in one frame."""
    listener = world.browser()
    for at in range(5):
        world.state(update(at=at))
    assert types(listener) == []

    await turn()

    (frame,) = listener.news()
    assert isinstance(frame, Updates)
    assert len(frame.pillows) == 5
    assert world.received("taken") == 5
    assert world.count("delivered_updates_total") == 5


async def test_what_changes_nothing_is_counted_by_its_reason(world: World) -> None:
    """And nobody hears of it."""
    world.state(update(at=1))
    listener = world.browser()
    world.state(update(at=1))
    world.state(update(at=0))
    world.receive("pillow/bridge/poller/here/dead-letter", b"{}")
    world.receive("other/cloud-1/state", b"{}")
    world.receive("pillow/cloud-9/state", b"")
    await turn()

    assert types(listener) == []
    assert world.received("repeated") == 1
    assert world.received("older") == 1
    assert world.received("unknown-topic") == 2
    assert world.received("removed") == 1


async def test_a_state_from_the_future_hides_no_other(world: World) -> None:
    """Somebody wrote it, retained perhaps; what the pillow says next is shown."""
    client = world.browser()
    world.state(update("cloud-1", MAX_CLOCK_SKEW_MS + 1), retained=True)
    world.state(update("cloud-1", 5))
    deliver(world.consumer.dispatcher.planner.flush(world.clock.ms))

    assert world.received("ahead") == 1
    assert len(client.changes) == 1
    world.clock.ms += 2
    world.state(update("cloud-1", MAX_CLOCK_SKEW_MS + 1))
    assert world.received("taken") == 2


async def test_nonsense_is_counted_each_time_and_logged_once_a_topic(
    world: World, said: list[structlog.typing.EventDict]
) -> None:
    """Who publishes nonsense does so again and again."""
    for payload in (b"nonsense", b"\xff", b"[]", b"null", b"{}", b"[" * 100_000):
        world.receive("pillow/cloud-1/state", payload)
        world.receive("pillow/cloud-2/availability", payload)

    assert world.received("invalid") == 12
    assert [line["topic"] for line in said] == [
        "pillow/cloud-1/state",
        "pillow/cloud-2/availability",
    ]
    assert len(world.store) == 0


async def test_the_log_of_nonsense_has_an_end(
    world: World, said: list[structlog.typing.EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand topics of nonsense are enough to know."""
    monkeypatch.setattr(module, "MAX_WARNED_TOPICS", 3)
    for number in range(10):
        world.receive(f"pillow/cloud-{number}/state", b"nonsense")

    assert len(said) == 3
    assert world.received("invalid") == 10


async def test_a_removal_is_told(world: World) -> None:
    """An empty payload says that a pillow is no more."""
    world.state(update())
    listener = world.browser()
    world.receive("pillow/cloud-1/state", b"")
    await turn()

    assert types(listener) == ["Removed"]
    assert world.count("pillows") == 0


async def test_a_cleared_availability_is_no_last_will(world: World) -> None:
    """An empty payload there says that nobody says anything about it any more."""
    world.receive("pillow/cloud-1/availability", b"offline", retained=True)
    world.state(update(), retained=True)
    before = world.store.state("cloud-1")
    world.receive("pillow/cloud-1/availability", b"")
    after = world.store.state("cloud-1")

    assert before is not None
    assert fields(before)["state"] == NOT_CONNECTED
    assert after == update().payload
    assert world.received("availability") == 2


async def test_an_old_retained_state_is_not_shown_as_live(world: World) -> None:
    """At the gateway's start too: it says itself how old it is."""
    world.state(update(at=-31_000), retained=True)

    shown = world.store.state("cloud-1")
    assert shown is not None
    assert fields(shown)["state"] == NOT_CONNECTED
    assert world.count("queued_to_sent_seconds_count") == 0


async def test_the_time_from_queue_to_browser_is_measured_for_news(world: World) -> None:
    """And not for what the broker had retained."""
    queued = EPOCH_MS - 20
    world.state(update(at=1, hops={"queued": queued}))
    world.state(update(at=2, hops={"queued": queued}), retained=True)
    world.state(update(at=3))

    assert world.count("queued_to_sent_seconds_count") == 1
    assert world.count("queued_to_sent_seconds_sum") == pytest.approx(0.02)


async def test_the_brokers_coming_and_going_is_told(world: World) -> None:
    """With what changed meanwhile before the word that it is back."""
    listener = world.browser()
    world.consumer.broker_ready()
    assert world.count("broker_up") == 1
    world.consumer.broker_lost()
    assert world.count("broker_up") == 0
    assert types(listener) == ["Status", "Status"]
    world.state(update())
    world.consumer.broker_ready()

    assert types(listener) == ["Updates", "Status"]


async def test_goodbye_takes_the_last_changes_along(world: World) -> None:
    """What was heard is told before the restart."""
    listener = world.browser()
    world.state(update())
    world.consumer.dispatcher.announce_restart()

    assert types(listener) == ["Updates", "Goodbye"]


async def running(world: World) -> asyncio.Task[None]:
    return asyncio.ensure_future(world.consumer.run())


async def test_a_silent_pillow_is_told_soon_after_its_deadline() -> None:
    """Without anything else happening."""
    world = World(expire_after_ms=50)
    world.consumer.broker_ready()
    world.state(update())
    listener = world.browser()
    task = await running(world)
    try:
        world.clock.ms += 50
        await until(lambda: bool(listener.frames), "told")
    finally:
        task.cancel()

    assert types(listener) == ["Updates"]
    assert world.count("expired_total") == 1


async def test_nothing_expires_while_the_broker_is_away() -> None:
    """Silence means nothing then; from the broker's return on it does."""
    world = World(expire_after_ms=50)
    world.consumer.broker_ready()
    world.state(update())
    world.consumer.broker_lost()
    task = await running(world)
    try:
        world.clock.ms += 10_000
        async with asyncio.timeout(5):
            for _ in range(10):
                await asyncio.sleep(0.02)
                assert world.store.state("cloud-1") == update().payload
            world.consumer.broker_ready()
            world.clock.ms += 49
            for _ in range(10):
                await asyncio.sleep(0.02)
                assert world.store.state("cloud-1") == update().payload
            world.clock.ms += 1
            await until(lambda: world.store.state("cloud-1") != update().payload, "expired")
    finally:
        task.cancel()

    assert world.count("expired_total") == 1


def test_the_wall_clock_is_in_milliseconds() -> None:
    """And not long past."""
    assert 1_700_000_000_000 < wall_ms() < 10_000_000_000_000
