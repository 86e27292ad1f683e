"""When the number of clients is published: at once between none and some, else seldom."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.watching.schedule import CROSSING_S, INTERVAL_S, RENEWAL_S, WatchingSchedule
from runtime.mqtt.own_status import STATUS_EXPIRY_S

changes = st.lists(
    st.tuples(st.floats(0.001, 15), st.integers(0, 3), st.sampled_from([True, False, False])),
    max_size=40,
)


def test_the_first_number_of_a_connection_is_published_at_once() -> None:
    """Also if it is the one that was published on the connection before."""
    schedule = WatchingSchedule()
    assert schedule.wait_s(0, 100) == 0
    schedule.record(0, 100)
    assert schedule.wait_s(0, 100.1) > 0

    schedule.forget()

    assert schedule.wait_s(0, 100.2) == 0


def test_the_first_client_and_the_last_one_are_published_at_once() -> None:
    """After a quiet moment."""
    schedule = WatchingSchedule()
    schedule.record(0, 100)
    assert schedule.wait_s(1, 100 + CROSSING_S) == 0
    schedule.record(1, 101)
    assert schedule.wait_s(0, 101 + CROSSING_S) == 0


def test_another_number_of_clients_waits_for_the_interval() -> None:
    """Pollers only need to know whether there are any."""
    schedule = WatchingSchedule()
    schedule.record(1, 100)

    assert schedule.wait_s(2, 101) == INTERVAL_S - 1
    assert schedule.wait_s(2, 100 + INTERVAL_S) == 0


def test_a_number_of_clients_is_repeated() -> None:
    """Another process with the same instance name may have written none."""
    schedule = WatchingSchedule()
    schedule.record(1, 100)

    assert schedule.wait_s(1, 101) == INTERVAL_S - 1
    assert schedule.wait_s(1, 100 + INTERVAL_S) == 0


def test_no_clients_are_repeated_before_the_broker_drops_that() -> None:
    """It expires, so that the number of a gateway that is gone does not outlast its status."""
    schedule = WatchingSchedule()
    schedule.record(0, 100)

    assert schedule.wait_s(0, 101) == RENEWAL_S - 1
    assert schedule.wait_s(0, 100 + RENEWAL_S) == 0
    assert RENEWAL_S < STATUS_EXPIRY_S / 2


@given(changes)
def test_what_is_published_follows_the_number_within_the_interval(
    history: list[tuple[float, int, bool]],
) -> None:
    """And no two publishes of a connection are closer together than their least time."""
    schedule = WatchingSchedule()
    now_s, clients, published = 0.0, 0, [(0.0, 0)]
    schedule.record(0, 0.0)
    for after_s, number, reconnects in [*history, (0.001, 3, False)]:
        # Publish what is due until the number changes.
        until_s = now_s + after_s
        while now_s + (wait_s := schedule.wait_s(clients, now_s)) <= until_s:
            now_s += wait_s
            before_s, before = published[-1]
            if before >= 0:
                least_s = CROSSING_S if (clients == 0) != (before == 0) else INTERVAL_S
                assert now_s - before_s >= least_s - 1e-6
            schedule.record(clients, now_s)
            published.append((now_s, clients))
        now_s = until_s
        wait_s = schedule.wait_s(clients, now_s)
        is_said = published[-1][1] == clients
        assert wait_s <= (RENEWAL_S if is_said and not clients else INTERVAL_S)
        clients = number
        if reconnects:
            schedule.forget()
            published.append((now_s, -1))
