"""The newest state of each pillow."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pillowcast.frames import BrokerStatus, Changes, Removed, Snapshot
from pillowcast.pillow_state import State, instant
from pillowcast.store import Store
from tests.unit.client.strategies import STATES, state

SENT = 1_795_960_800_000.0  # 2026-11-29T14:00:00Z


def snapshot(
    *states: State,
    cursor: str = "k:1",
    recovered: bool = False,
    more: bool = False,
    continued: bool = False,
) -> Snapshot:
    """Return a snapshot of an online broker."""
    return Snapshot(cursor, recovered, "online", SENT, states, more=more, continued=continued)


@given(st.lists(st.lists(STATES, max_size=4), max_size=8))
def test_a_pillow_never_goes_backwards(frames: Sequence[Sequence[State]]) -> None:
    """In whatever order the states of one gateway arrive, the newest wins."""
    store = Store()
    store.apply(snapshot())
    for number, states in enumerate(frames):
        for update in store.apply(Changes(f"k:{number}", 1e12, tuple(states))):
            assert update.current is not None
            assert update.previous is None or not update.current.is_older_than(update.previous)

    every = [one for states in frames for one in states]
    for pillow, known in store.pillows.items():
        assert not any(known.is_older_than(one) for one in every if one.pillow == pillow)
    assert set(store.pillows) == {one.pillow for one in every}


@given(st.lists(st.lists(STATES, max_size=4), min_size=1, max_size=5), st.lists(STATES))
def test_a_whole_snapshot_in_any_number_of_pieces_is_what_is_known(
    pieces: Sequence[Sequence[State]], before: Sequence[State]
) -> None:
    """What no piece named is removed at the last one, not before."""
    store = Store()
    store.apply(snapshot(*before))
    for number, states in enumerate(pieces):
        is_last = number == len(pieces) - 1
        store.apply(snapshot(*states, more=not is_last, continued=number > 0))
        assert store.is_loading == (not is_last)

    assert set(store.pillows) == {one.pillow for states in pieces for one in states}


def test_a_snapshot_of_another_gateway_counts_though_it_is_older() -> None:
    """That gateway knows no newer one; within it the newest counts."""
    store = Store()
    store.apply(snapshot(state(name="hugging", at="2026-11-29T14:00:09Z")))

    [update] = store.apply(snapshot(state(name="neutral", at="2026-11-29T14:00:01Z"), cursor="m:1"))

    assert update.state == "neutral"


def test_the_cursor_is_that_of_the_newest_frame() -> None:
    """A removal has one too; a status has none."""
    store = Store()
    store.apply(snapshot(state()))
    [gone] = store.apply(Removed("k:7", ("cloud-1", "cloud-2")))
    store.apply(BrokerStatus("offline"))

    assert (gone.pillow, gone.removed, gone.cursor) == ("cloud-1", True, "k:7")
    assert (store.cursor, store.broker, dict(store.pillows)) == ("k:7", "offline", {})


def test_a_reader_resumes_before_a_frame_that_it_has_in_part() -> None:
    """A first snapshot must be received again as a whole."""
    store = Store()
    first = store.apply(snapshot(state("cloud-1"), state("cloud-2")))
    then = store.apply(Changes("k:5", 1e12, (state("cloud-1"), state("cloud-2"))))

    assert [one.cursor for one in (*first, *then)] == [None, "k:1", "k:1", "k:5"]


def test_with_a_cursor_a_removal_of_an_unknown_pillow_is_told() -> None:
    """The client before knew it."""
    store = Store("k:1")

    assert [one.pillow for one in store.apply(Removed("k:2", ("cloud-9",)))] == ["cloud-9"]


@given(st.text("0123456789", max_size=20), st.text("0123456789", max_size=20))
def test_instants_have_the_order_of_all_their_digits(one: str, other: str) -> None:
    """Two states within one microsecond have an order."""
    first, second = (instant(f"2026-11-29T14:00:00.{digits}0Z") for digits in (one, other))

    assert first is not None
    assert second is not None
    assert (first < second) == (one.ljust(20, "0") < other.ljust(20, "0"))
    assert instant("2026-11-29T16:00:00+02:00") == instant("2026-11-29 14:00:00z")


def test_what_is_no_timestamp_has_no_instant() -> None:
    """Nor an order."""
    for text in ("", "soon", "2026-13-01T00:00:00Z", "2026-11-29T14:00:00", None, 7):
        assert instant(text) is None
    assert not state(at="soon").is_older_than(state())
