"""What a subscriber gets to catch up, and how many times it is made."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.cursors import Cursor
from contract.frames import Status
from gateway.fanout.catch_up import CACHE_MS, CACHE_SIZE, CatchUp
from gateway.fanout.encoding import Frame
from gateway.fanout.subscriptions import ResumePoint
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


def types(frames: list[Frame]) -> list[str]:
    """Return the types of frames."""
    return [msgspec.json.decode(frame.data)["type"] for frame in frames]


def test_a_new_client_gets_a_snapshot_of_its_filter(store: StateStore) -> None:
    """Everything that is known, not what was removed."""
    (frame,) = CatchUp(store).frames(frozenset({"cloud-1", "cloud-3"}), None, OFFLINE, NOW)

    message = msgspec.json.decode(frame.data)
    assert message["type"] == "snapshot"
    assert message["recovered"] is False
    assert [state["pillow"] for state in message["pillows"]] == ["cloud-1"]
    assert frame.updates == 1


def test_a_resumed_client_gets_a_snapshot_of_what_changed_and_the_removals(
    store: StateStore,
) -> None:
    """In frames of their own, because a snapshot carries no removals."""
    snapshot, removed = CatchUp(store).frames(None, Cursor("ep", 2), OFFLINE, NOW)

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
    assert types(CatchUp(store).frames(None, resume_point, status, NOW)) == expected


def test_only_what_the_log_has_is_resumed(store: StateStore) -> None:
    """Otherwise the client gets a full snapshot."""
    catch_up = CatchUp(store)

    assert catch_up.covered(None) is None
    assert catch_up.covered(Cursor("other", 1)) is None
    assert catch_up.covered(Cursor("ep", 5)) is None
    assert catch_up.covered(Cursor("ep", 4)) == Cursor("ep", 4)
    assert catch_up.covered(ResumePoint(4, ONLINE)) == ResumePoint(4, ONLINE)


@given(st.integers(-5, CACHE_MS + 5), st.sampled_from(("nothing", "broker", "change")))
def test_frames_are_shared_for_cache_ms_while_nothing_changes(later_ms: int, changed: str) -> None:
    """A new status, a new state or a clock that was set back make them anew."""
    store = StateStore("ep")
    catch_up = CatchUp(store)
    first = catch_up.frames(None, None, OFFLINE, NOW)
    if changed == "change":
        store.put(update(), None)
    status = ONLINE if changed == "broker" else OFFLINE

    second = catch_up.frames(None, None, status, NOW + later_ms)

    assert (second is first) == (changed == "nothing" and 0 <= later_ms <= CACHE_MS)
    assert msgspec.json.decode(second[0].data)["broker"] == status.broker


def test_at_most_cache_size_catch_ups_are_kept(store: StateStore) -> None:
    """Those of clients that all differ are not shared by anybody."""
    catch_up = CatchUp(store)
    for number in range(3 * CACHE_SIZE):
        catch_up.frames(frozenset({f"cloud-{number}"}), None, OFFLINE, NOW)

    assert len(catch_up._cache) <= CACHE_SIZE
