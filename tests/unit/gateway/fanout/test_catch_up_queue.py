"""The catch-up queue: whose turn it is, and that many who wait delay no update."""

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from gateway.fanout.catch_up_queue import BATCH, PIECES_PER_FLUSH
from gateway.fanout.coalescing import MAX_STATES_BYTES
from gateway.fanout.flush_planner import FlushPlanner
from gateway.state.state_store import StateStore
from tests.unit.gateway.fanout.planners import change_of, flush, make
from tests.unit.gateway.subscribers import Client, deliver

PIECES = PIECES_PER_FLUSH + 2


def large() -> tuple[StateStore, FlushPlanner]:
    """Return a store whose snapshot has several pieces, more than a flush writes to anyone."""
    store, planner = make()
    size = 20_000
    for number in range(PIECES * MAX_STATES_BYTES // size):
        change_of(store, f"cloud-{number}", number + 1, pad=size)
    return store, planner


def live(clients: list[Client]) -> list[Client]:
    """Return those that have got all."""
    return [one for one in clients if one.is_live]


def test_a_flush_that_may_not_go_on_serves_those_who_waited_longest() -> None:
    store, planner = make()
    change_of(store, "cloud-1", 1)
    clients = [Client(planner) for _ in range(3 * BATCH + 1)]

    for served in (BATCH, 2 * BATCH, 3 * BATCH, 3 * BATCH + 1):
        assert planner.is_due
        flush(planner, may_go_on=0)
        assert live(clients) == clients[:served]
    assert not planner.is_due


def test_a_flush_serves_all_while_it_may_go_on() -> None:
    """Those that are alike are written to together, as many as there are in a batch."""
    store, planner = make()
    change_of(store, "cloud-1", 1)
    clients = [Client(planner) for _ in range(3 * BATCH)]

    writes = flush(planner)

    assert live(clients) == clients
    assert [list(write.subscribers) for write in writes] == [
        clients[:BATCH], clients[BATCH : 2 * BATCH], clients[2 * BATCH :],
    ]  # fmt: skip
    assert len({write.data for write in writes}) == 1


def test_updates_go_before_those_who_wait() -> None:
    """Each flush first sends what the live ones wait for."""
    store, planner = make()
    first = Client(planner)
    flush(planner)
    waiting = [Client(planner) for _ in range(2 * BATCH)]

    for number in (1, 2):
        planner.publish(change_of(store, "cloud-1", number))
        kinds = [write.kind for write in flush(planner, may_go_on=0)]
        assert kinds == ["update", "snapshot"]
        assert len(first.changes) == number
    assert live(waiting) == waiting
    # Those who waited longer have the second change in their snapshot, and not twice.
    assert [len(one.changes) for one in waiting] == [1] * BATCH + [0] * BATCH


def test_one_with_a_piece_left_waits_behind_those_who_have_none() -> None:
    _, planner = large()
    clients = [Client(planner) for _ in range(2 * BATCH)]

    flush(planner, may_go_on=0)
    flush(planner, may_go_on=0)

    assert [len(one.frames) for one in clients] == [1] * len(clients)


def test_all_who_have_not_got_all_are_served_again() -> None:
    _, planner = large()
    clients = [Client(planner) for _ in range(2 * BATCH)]

    flush(planner)
    assert [len(one.frames) for one in clients] == [PIECES_PER_FLUSH] * len(clients)
    assert planner.is_due
    flush(planner)

    assert live(clients) == clients


def test_pieces_of_a_batch_end_when_it_may_not_go_on() -> None:
    _, planner = large()
    client = Client(planner)

    flush(planner, may_go_on=2)  # asked before the batch, and before its second piece

    assert len(client.frames) == 2


def test_who_comes_while_it_is_written_waits_for_the_next_flush() -> None:
    """A flush has an end, however fast they come."""
    _, planner = make()
    Client(planner)
    came: list[Client] = []
    for write in planner.flush(0):
        came.append(Client(planner))
        deliver(iter([write]))

    assert len(came) == 1
    assert live(came) == []
    assert planner.is_due


def test_everyone_gets_the_goodbye_with_the_next_flush() -> None:
    """Whether or not it may go on: the process is about to end."""
    _, planner = large()
    clients = [Client(planner) for _ in range(2 * BATCH)]
    deliver(planner.announce_restart((0, 0)))

    flush(planner, may_go_on=0)

    assert all(one.closed for one in clients)
    assert not planner.is_due


def test_those_who_differ_are_served_one_by_one_while_it_may_go_on() -> None:
    """Each needs a piece of its own, and the others wait before those who come later."""
    store, planner = make()
    change_of(store, "cloud-1", 1)
    clients = [Client(planner, frozenset({f"cloud-{number}"})) for number in range(2 * BATCH)]

    flush(planner, may_go_on=0)
    clients.append(Client(planner))
    for served in range(1, len(clients) + 1):
        assert live(clients) == clients[:served]
        flush(planner, may_go_on=0)
    assert not planner.is_due


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 4), st.integers(0, 30)), max_size=20))
def test_nobody_waits_for_more_than_those_before(steps: list[tuple[int, int, int]]) -> None:
    """Whoever comes and goes, and however seldom it may go on."""
    store, planner = make()
    change_of(store, "cloud-1", 1)
    waiting: list[tuple[Client, int]] = []  # with the flush that serves it at the latest
    for flushes, (coming, may_go_on, leaving) in enumerate(steps, 1):
        for _ in range(coming):
            before = len(waiting) + 1
            waiting.append((Client(planner), flushes - 1 + ceil(before / BATCH)))
        if leaving < len(waiting):
            planner.unsubscribe(waiting.pop(leaving)[0])
        flush(planner, may_go_on)
        served = [one for one, _ in waiting if one.is_live]
        assert served == [one for one, _ in waiting[: len(served)]]
        waiting = waiting[len(served) :]
        assert all(flushes < latest for _, latest in waiting)
        assert planner.is_due == bool(waiting)
