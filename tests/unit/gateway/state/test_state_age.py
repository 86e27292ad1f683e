"""How old states are, whatever the clocks of pillow, queue, poller and gateway show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.updates import EXPIRY_S
from gateway.state.state_age import MAX_AGE_MS, live_age_ms, retained_age
from tests.unit.gateway.strategies import EPOCH_MS, update

hops = st.one_of(st.none(), st.integers(0, 2**53 - 1), st.integers(EPOCH_MS - 10**6, EPOCH_MS))
times = st.one_of(st.integers(0, 2**53), st.integers(EPOCH_MS - 10**6, EPOCH_MS + 10**6))


@given(
    st.integers(-(10**6), 10**6),
    hops,
    hops,
    st.one_of(st.none(), st.integers(0, 2**32 - 1)),
    st.one_of(st.none(), times),
    times,
)
def test_an_age_is_never_negative_and_bounded(
    at: int,
    queued: int | None,
    published: int | None,
    expiry_s: int | None,
    queue_ms: int | None,
    wall_ms: int,
) -> None:
    """So that the time since which a pillow is silent can always be written."""
    state = update(at=at, hops={"queued": queued, "published": published})

    age = retained_age(state, expiry_s=expiry_s, queue_ms=queue_ms, wall_ms=wall_ms)
    assert 0 <= age.ms <= MAX_AGE_MS
    assert 0 <= live_age_ms(state) <= MAX_AGE_MS


@pytest.mark.parametrize(
    ("hops", "expected"),
    [
        ({}, 0),
        ({"queued": 10, "published": 15}, 5),
        ({"queued": 15, "published": 10}, 0),
        ({"published": EPOCH_MS - 100}, 400),
        ({"queued": 10}, 0),
        ({"queued": "10", "published": None}, 0),
    ],
)
def test_a_live_state_is_as_old_as_it_waited_in_the_queue(
    hops: dict[str, object], expected: int
) -> None:
    """One that a poller published again, without `queued`, is as old as its `at`."""
    assert live_age_ms(update(at=-500, hops=hops)) == expected


PUBLISHED = {"queued": EPOCH_MS - 400, "published": EPOCH_MS - 300}


@pytest.mark.parametrize(
    ("hops", "expiry_s", "queue_ms", "expected"),
    [
        ({}, None, None, (1500, False)),
        ({}, None, EPOCH_MS, (500, False)),
        (PUBLISHED, None, None, (1400, True)),
        (PUBLISHED, None, EPOCH_MS, (400, False)),
        (PUBLISHED, EXPIRY_S, EPOCH_MS, (400, False)),
        (PUBLISHED, EXPIRY_S - 7, None, (7100, False)),
        (PUBLISHED, EXPIRY_S - 7, EPOCH_MS, (7100, False)),
        ({}, EXPIRY_S - 7, EPOCH_MS, (500, False)),
    ],
)
def test_a_retained_age_comes_from_the_broker_or_the_queues_time_or_the_wall_clock(
    hops: dict[str, object],
    expiry_s: int | None,
    queue_ms: int | None,
    expected: tuple[int, bool],
) -> None:
    """In this order; the wall clock is a second ahead here."""
    state = update(at=-500, hops=hops)

    age = retained_age(state, expiry_s=expiry_s, queue_ms=queue_ms, wall_ms=EPOCH_MS + 1000)

    assert age == expected
