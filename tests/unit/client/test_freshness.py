"""Whether what is known is live."""

from hypothesis import given
from hypothesis import strategies as st

from pillowcast.frames import Changes
from pillowcast.freshness import QUIET_AFTER_MS, Times, connection_of, freshness_of, state_to_show
from pillowcast.server_clock import ServerClock
from pillowcast.store import Store
from tests.unit.client.strategies import state
from tests.unit.client.test_store import SENT, snapshot


def test_nothing_is_live_without_connection_or_broker() -> None:
    """A display then shows `notconnected`."""
    assert connection_of(synced=False, lost=False, broker=None) == "connecting"
    assert connection_of(synced=False, lost=True, broker="online") == "disconnected"
    assert connection_of(synced=True, lost=True, broker="offline") == "broker-offline"
    assert connection_of(synced=True, lost=True, broker="online") == "live"
    store = Store()
    store.apply(snapshot(state()))

    stale = freshness_of(store, "cloud-1", is_live=False, times=Times(0, SENT))

    assert stale == "stale"
    assert state_to_show(store, "cloud-1", stale) == "notconnected"
    assert state_to_show(store, "cloud-2", "unknown") == "notconnected"


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_the_longer_silence_of_two_clocks_counts(local_ms: float, gateway_ms: float) -> None:
    """A clock that stood still makes no silent pillow look alive."""
    store = Store()
    store.apply(snapshot())
    store.apply(Changes("k:2", SENT, (state(),)), 1_000.0)
    times = Times(1_000.0 + local_ms, SENT + gateway_ms)

    found = freshness_of(store, "cloud-1", is_live=True, times=times)

    is_live = max(times.local - 1_000.0, times.gateway - SENT) <= QUIET_AFTER_MS
    assert found == ("live" if is_live else "quiet")
    assert state_to_show(store, "cloud-1", found) == "hugging"


def test_a_pillow_is_stale_until_a_piece_of_the_snapshot_names_it() -> None:
    """It may be gone."""
    store = Store()
    store.apply(snapshot(state("cloud-1"), state("cloud-2")))
    store.apply(snapshot(state("cloud-1"), more=True))
    times = Times(0, SENT)

    assert freshness_of(store, "cloud-1", is_live=True, times=times) == "live"
    assert freshness_of(store, "cloud-2", is_live=True, times=times) == "stale"


@given(st.floats(-1e9, 1e9), st.lists(st.tuples(st.floats(0, 500), st.floats(0, 500)), min_size=1))
def test_the_gateways_clock_is_known_within_half_a_round_trip(
    offset: float, trips: list[tuple[float, float]]
) -> None:
    """Of the shortest one."""
    clock = ServerClock()
    now = 1e6
    for there, back in trips:
        clock.observe_pong(now, now + there + offset, now + there + back)
        now += 1_000.0

    assert clock.offset_ms is not None
    assert clock.round_trip_ms is not None
    assert abs(clock.offset_ms - offset) <= clock.round_trip_ms / 2 + 1e-3


def test_a_clock_that_stood_still_is_noticed() -> None:
    """No frame arrives before it is sent, so a ping is due."""
    clock = ServerClock()
    clock.observe_pong(0, 5_000, 10)

    assert not clock.observe(5_100, 105)
    assert clock.observe(65_000, 110)
    assert clock.offset_ms == 65_000 - 110
