"""Snapshots and catch-ups in pieces: they end, and nothing is lost, whatever changes meanwhile."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.cursors import Cursor
from contract.frames import Snapshot, Updates
from gateway.fanout.coalescing import MAX_FRAME_BYTES
from gateway.fanout.positions import Progress
from gateway.fanout.subscriptions import Filter
from tests.gateway import parse_frames
from tests.unit.gateway.fanout.planners import change_of, flush, make, removal_of
from tests.unit.gateway.strategies import scopes
from tests.unit.gateway.subscribers import Client

PAD = 15_000
"""A piece holds four states of this size."""

NAMES = [f"p{number}" for number in range(12)]


class Fleet:
    """Pillows that change, and a client that takes one piece each time it reads."""

    def __init__(self, count: int = 12, filter: Filter = None, since: Cursor | None = None) -> None:
        self.store, self.planner = make()
        self.clock = 0
        self.names = NAMES[:count]
        self.change(*self.names)
        flush(self.planner)
        self.client = self.join(filter, since)

    def join(self, filter: Filter = None, since: Cursor | None = None) -> Client:
        client = Client(self.planner, filter, since)
        client.full = True
        return client

    def change(self, *names: str) -> None:
        for name in names:
            self.clock += 1
            self.planner.publish(change_of(self.store, name, self.clock, PAD))

    def remove(self, name: str) -> None:
        if self.store.state(name) is not None:
            self.planner.publish(removal_of(self.store, name))

    def read(self, client: Client | None = None) -> None:
        """Let the client take one piece."""
        client = client or self.client
        if client.is_paused:
            self.planner.resume(client)
        flush(self.planner)

    def finish(self, client: Client) -> None:
        """Let it read until it has everything."""
        client.full = False
        for _ in range(100):
            self.read(client)
            if client.is_live:
                break
        assert client.is_live
        assert client.is_complete
        assert client.states == {
            state["pillow"]: state
            for state in map(msgspec.json.decode, self.store.states())
            if client.wanted is None or state["pillow"] in client.wanted
        }


def names_of(frames: Sequence[object]) -> list[list[str]]:
    """Return the pillows of snapshots and updates."""
    return [
        [str(state["pillow"]) for state in frame.pillows]
        for frame in frames
        if isinstance(frame, Snapshot | Updates)
    ]


def test_a_large_snapshot_is_several_frames() -> None:
    """Marked so that a client knows where a snapshot begins and ends."""
    fleet = Fleet(12)
    fleet.finish(fleet.client)

    frames = fleet.client.take_frames()
    pieces = [one for one in frames if isinstance(one, Snapshot)]
    assert [(one.more, one.continued) for one in pieces] == [
        (True, False), (True, True), (False, True),
    ]  # fmt: skip
    assert [one.cursor for one in pieces] == ["ep:4", "ep:8", "ep:12"]
    assert names_of(pieces) == [NAMES[0:4], NAMES[4:8], NAMES[8:12]]


def test_a_snapshot_that_fits_a_frame_has_neither_mark() -> None:
    """As before there were pieces."""
    fleet = Fleet(4)
    fleet.read()
    (snapshot,) = fleet.client.take_frames()

    assert isinstance(snapshot, Snapshot)
    assert not snapshot.more
    assert not snapshot.continued
    assert b"more" not in fleet.client.writes[0]
    assert b"continued" not in fleet.client.writes[0]


def test_a_client_that_reads_gets_several_pieces_with_a_flush() -> None:
    """And the rest with the next ones, without being paused in between."""
    fleet = Fleet(12)
    fleet.client.full = False
    flush(fleet.planner)

    assert fleet.client.is_live
    assert len(fleet.client.writes) == 3


def test_a_client_that_does_not_read_keeps_its_position_and_no_piece() -> None:
    """However long, and however much changes."""
    fleet = Fleet(12)
    fleet.read()
    position = fleet.client.resume_from
    assert isinstance(position, Progress)
    for _ in range(20):
        fleet.change(*NAMES)
        assert flush(fleet.planner) == []

    assert fleet.client.resume_from is position
    assert len(fleet.client.writes) == 1


@pytest.mark.parametrize("filter", [None, frozenset(NAMES)])
def test_a_snapshot_ends_while_every_pillow_changes_between_two_pieces(filter: Filter) -> None:
    """It would not, if it followed the log to its end."""
    fleet = Fleet(12, filter)
    for _ in range(12):
        fleet.read()
        if fleet.client.is_complete:
            break
        fleet.change(*NAMES)

    assert fleet.client.is_complete
    assert set(fleet.client.states) == set(NAMES)


def test_a_slow_client_gets_the_pillow_that_changes_most() -> None:
    """In the order of change alone it would always be ahead of the client."""
    fleet = Fleet(12)
    seen = []
    for turn in range(60):
        fleet.change("p0", *NAMES[1 + turn % 6 :: 6])
        fleet.read()
        seen.append(any("p0" in names for names in names_of(fleet.client.take_frames())))

    gaps = "".join(".x"[one] for one in seen[12:])
    assert max(map(len, gaps.split("x"))) <= 8, gaps


def test_a_snapshot_ends_while_pillows_become_known_faster_than_it_is_read() -> None:
    """A sweep ends at the pillow that was the last one when the sweep began."""
    fleet = Fleet(12)
    for turn in range(14):
        fleet.read()
        if fleet.client.is_complete:
            break
        fleet.change(*NAMES, *(f"new-{turn}-{number}" for number in range(12)))

    assert fleet.client.is_complete


def test_a_pillow_that_is_removed_after_its_piece_is_told_as_removed() -> None:
    """Also if it is the last thing that happens."""
    fleet = Fleet(12)
    fleet.read()
    fleet.remove("p0")
    fleet.finish(fleet.client)

    assert "p0" not in fleet.client.states
    assert ("p0", None) in fleet.client.changes


def test_a_subscribe_in_the_middle_of_a_snapshot_begins_another_one() -> None:
    """Nothing of the first one follows."""
    fleet = Fleet(12)
    fleet.read()
    fleet.client.take_frames()
    fleet.client.subscribe(frozenset(NAMES[:2]))
    fleet.finish(fleet.client)

    (snapshot,) = fleet.client.take_frames()
    assert isinstance(snapshot, Snapshot)
    assert not snapshot.continued
    assert set(fleet.client.states) == set(NAMES[:2])


def test_a_client_that_is_cut_off_in_the_middle_gets_the_rest() -> None:
    """From the cursor of the last piece that it has."""
    fleet = Fleet(12)
    fleet.read()
    fleet.planner.unsubscribe(fleet.client)
    again = fleet.join(since=fleet.client.cursor)
    again.full = False
    flush(fleet.planner)

    assert names_of(again.take_frames()) == [NAMES[4:8], NAMES[8:12]]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.lists(st.sampled_from(NAMES), min_size=1, max_size=12)),
        st.tuples(st.just("remove"), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)),
        st.tuples(st.just("read"), st.just([])),
        st.tuples(st.just("cut"), st.just([])),
        st.tuples(st.just("subscribe"), st.lists(st.sampled_from(NAMES), max_size=8)),
        st.tuples(st.just("other"), st.just([])),
    ),
    max_size=40,
)


@given(
    steps,
    st.one_of(st.none(), st.sets(st.sampled_from(NAMES), min_size=1).map(frozenset), scopes),
)
def test_whatever_happens_between_the_pieces_a_client_ends_with_what_the_store_has(
    steps: list[tuple[str, list[str]]], filter: Filter
) -> None:
    """No state goes back, no cursor goes back, no frame is larger than 64 KiB, nothing is lost."""
    fleet = Fleet(12, filter)
    client = fleet.client
    others = []
    for verb, names in steps:
        if verb == "change":
            fleet.change(*names)
        elif verb == "remove":
            for name in names:
                fleet.remove(name)
        elif verb == "read":
            fleet.read(client)
        elif verb == "subscribe":
            client.subscribe(frozenset(names) or None)
        elif verb == "other":
            others.append(fleet.join(client.wanted))
        else:
            fleet.planner.unsubscribe(client)
            again = fleet.join(client.wanted, client.cursor)
            again.states = dict(client.states)
            again.named, again.removes_unnamed = client.named, client.removes_unnamed
            others.append(client := again)
    for one in (client, *others):
        if one.is_subscribed:
            fleet.finish(one)
        for data in one.writes:
            for _, payload in parse_frames(b"\r\n\r\n" + data):
                assert len(payload) <= MAX_FRAME_BYTES
