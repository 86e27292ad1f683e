"""What a subscriber gets to catch up, and how many times it is made."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.cursors import Cursor
from contract.frames import Status
from gateway.fanout.catch_up import (
    CACHE_MS,
    CACHE_SIZE,
    SNAPSHOT_CACHE_MS,
    CatchUp,
    FrameContext,
    Piece,
    View,
)
from gateway.fanout.encoding import Frame
from gateway.fanout.motion import MotionCuts
from gateway.fanout.positions import Progress, ResumeFrom, ResumePoint
from gateway.fanout.subscriptions import Filter
from gateway.state.state_store import StateStore
from tests.unit.gateway.strategies import EPOCH_MS, update

NOW = EPOCH_MS
OFFLINE = Status("offline")
ONLINE = Status("online")
LIMITED = Status("online", retained=False)


@pytest.fixture
def store() -> StateStore:
    """Three changes: cloud-1 and cloud-2 are known, cloud-3 was removed."""
    store = StateStore("ep")
    store.put(update("cloud-3", 1), None)
    store.put(update("cloud-1", 2), None)
    store.put(update("cloud-2", 3), None)
    store.remove("cloud-3")
    return store


def whole(
    store: StateStore, filter: Filter, resume_from: ResumeFrom, status: Status = OFFLINE
) -> list[Frame]:
    """Return the frames of a catch-up that is one piece."""
    piece = CatchUp(store, MotionCuts()).piece(View(filter), resume_from, FrameContext(status, NOW))
    assert piece.rest is None
    return piece.frames


def large_store() -> StateStore:
    """Return a store whose snapshot is three pieces: 10 pillows, of which a piece holds four."""
    store = StateStore("ep")
    for number in range(10):
        store.put(update(f"cloud-{number}", number, pad=15_000), None)
    return store


def types(frames: list[Frame]) -> list[str]:
    """Return the types of frames."""
    return [msgspec.json.decode(frame.data)["type"] for frame in frames]


def test_a_new_client_gets_a_snapshot_of_its_filter(store: StateStore) -> None:
    """Everything that is known, not what was removed."""
    (frame,) = whole(store, frozenset({"cloud-1", "cloud-3"}), None)

    message = msgspec.json.decode(frame.data)
    assert message["type"] == "snapshot"
    assert message["recovered"] is False
    assert [state["pillow"] for state in message["pillows"]] == ["cloud-1"]
    assert frame.updates == 1


def test_a_resumed_client_gets_a_snapshot_of_what_changed_and_the_removals(
    store: StateStore,
) -> None:
    """In frames of their own, because a snapshot carries no removals."""
    snapshot, removed = whole(store, None, Cursor("ep", 2))

    message = msgspec.json.decode(snapshot.data)
    assert message["recovered"] is True
    assert [state["pillow"] for state in message["pillows"]] == ["cloud-2"]
    assert msgspec.json.decode(removed.data)["pillows"] == ["cloud-3"]


@pytest.mark.parametrize(
    ("resume_point", "status", "expected"),
    [
        (ResumePoint(4, OFFLINE), OFFLINE, []),
        (ResumePoint(4, ONLINE), OFFLINE, ["status"]),
        (ResumePoint(4, ONLINE), LIMITED, ["status"]),
        (ResumePoint(2, ONLINE), ONLINE, ["update", "removed"]),
        (ResumePoint(2, OFFLINE), ONLINE, ["update", "removed", "status"]),
    ],
)
def test_a_paused_subscriber_gets_the_changes_it_missed_and_a_changed_status(
    store: StateStore, resume_point: ResumePoint, status: Status, expected: list[str]
) -> None:
    """Nothing at all when nothing changed."""
    assert types(whole(store, None, resume_point, status)) == expected


def test_only_what_the_log_has_is_resumed(store: StateStore) -> None:
    """Otherwise the client gets a full snapshot."""
    catch_up = CatchUp(store, MotionCuts())

    assert catch_up.covered(None) is None
    assert catch_up.covered(Cursor("other", 1)) is None
    assert catch_up.covered(Cursor("ep", 5)) is None
    assert catch_up.covered(Cursor("ep", 4)) == Cursor("ep", 4)
    assert catch_up.covered(ResumePoint(4, ONLINE)) == ResumePoint(4, ONLINE)


def test_a_recovered_snapshot_is_before_the_removals_that_follow_it(store: StateStore) -> None:
    """A client that loses its connection between the two frames resumes before the removals."""
    store.put(update("cloud-4", 5), None)
    snapshot, removed = whole(store, None, Cursor("ep", 2))

    assert msgspec.json.decode(snapshot.data)["cursor"] == "ep:3"
    assert snapshot.cursor == Cursor("ep", 3)
    assert msgspec.json.decode(removed.data)["cursor"] == "ep:5"


@given(st.integers(-5, CACHE_MS + 5), st.sampled_from(("nothing", "broker", "change")))
def test_a_piece_is_shared_for_cache_ms_while_nothing_changes(later_ms: int, changed: str) -> None:
    """A new status, a new state or a clock that was set back make it anew."""
    store = StateStore("ep")
    catch_up = CatchUp(store, MotionCuts())
    first = catch_up.piece(View(None), None, FrameContext(OFFLINE, NOW))
    if changed == "change":
        store.put(update(), None)
    status = ONLINE if changed == "broker" else OFFLINE

    second = catch_up.piece(View(None), None, FrameContext(status, NOW + later_ms))

    assert (second is first) == (changed == "nothing" and 0 <= later_ms <= CACHE_MS)
    assert msgspec.json.decode(second.frames[0].data)["broker"] == status.broker


def test_clients_that_connect_one_after_the_other_share_the_pieces_of_a_large_snapshot() -> None:
    """Although states change meanwhile; each gets those behind the pieces."""
    store = large_store()
    catch_up = CatchUp(store, MotionCuts())
    first = walk_to_the_end(catch_up, FrameContext(OFFLINE, NOW))
    assert len(first) == 3
    store.put(update("cloud-0", 100), None)

    second = walk_to_the_end(catch_up, FrameContext(OFFLINE, NOW + SNAPSHOT_CACHE_MS))
    assert [one is other for one, other in zip(first, second, strict=True)] == [True, True, False]
    last = msgspec.json.decode(second[-1].frames[-1].data)
    assert last["cursor"] == "ep:11"
    assert last["pillows"][-1]["pillow"] == "cloud-0"

    third = walk_to_the_end(catch_up, FrameContext(OFFLINE, NOW + SNAPSHOT_CACHE_MS + 1))
    assert third[0] is not first[0]


def test_a_pillow_that_is_removed_after_a_shared_piece_is_told_to_all_that_got_it() -> None:
    """The snapshot of the second client begins where that of the first one began."""
    store = large_store()
    catch_up = CatchUp(store, MotionCuts())
    catch_up.piece(View(None), None, FrameContext(OFFLINE, NOW))
    store.remove("cloud-0")

    pieces = walk_to_the_end(catch_up, FrameContext(OFFLINE, NOW + 1))

    names = [one["pillow"] for one in msgspec.json.decode(pieces[0].frames[0].data)["pillows"]]
    assert "cloud-0" in names
    removed = msgspec.json.decode(pieces[-1].frames[-1].data)
    assert (removed["type"], removed["pillows"]) == ("removed", ["cloud-0"])


def walk_to_the_end(catch_up: CatchUp, context: FrameContext) -> list[Piece]:
    """Return every piece of a full snapshot."""
    pieces = [catch_up.piece(View(None), None, context)]
    while (rest := pieces[-1].rest) is not None:
        pieces.append(catch_up.piece(View(None), rest, context))
    return pieces


def test_the_removal_that_a_walk_has_not_told_yet_must_be_in_the_log() -> None:
    """Otherwise the snapshot begins anew."""
    store = large_store()
    catch_up = CatchUp(store, MotionCuts())
    rest = catch_up.piece(View(None), None, FrameContext(OFFLINE, NOW)).rest
    assert isinstance(rest, Progress)
    assert catch_up.covered(rest) is rest

    store.remove("cloud-0")
    assert catch_up.covered(rest) is rest
    store.put(update("cloud-0", -100), None)  # older than the state that was removed

    assert catch_up.covered(rest) is None


def test_at_most_cache_size_pieces_are_kept(store: StateStore) -> None:
    """Those of clients that all differ are not shared by anybody."""
    catch_up = CatchUp(store, MotionCuts())
    for number in range(3 * CACHE_SIZE):
        catch_up.piece(View(frozenset({f"cloud-{number}"})), None, FrameContext(OFFLINE, NOW))

    assert len(catch_up._cache) == len(catch_up._first_pieces) == CACHE_SIZE
    catch_up.drop_outdated(FrameContext(OFFLINE, NOW + CACHE_MS + 1))
    assert catch_up._cache == {}
    assert catch_up._first_pieces == {}
