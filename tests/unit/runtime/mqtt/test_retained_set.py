"""When a retained set is whole, by properties."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.mqtt.retained_set import RetainedSet


def test_marks_of_two_connections_differ() -> None:
    """So an older mark, retained or delayed, is not taken for one of this connection."""
    one, other = RetainedSet("a.1"), RetainedSet("a.2")

    assert not one.receive_mark(other.queued)
    assert not one.receive_mark(b"")
    assert not one.has_mark


@given(st.integers(0, 50), st.integers(0, 50))
def test_only_retained_messages_behind_the_direct_mark_make_a_set_suspicious(
    before: int, behind: int
) -> None:
    """The direct mark alone proves a set that came at once."""
    retained_set = RetainedSet("a.1")
    for _ in range(before):
        retained_set.receive_retained()
    assert not retained_set.came_at_once
    retained_set.receive_mark(retained_set.direct)
    for _ in range(behind):
        retained_set.receive_retained()

    assert retained_set.came_at_once == (behind == 0)
    assert retained_set.count == before + behind
    assert not retained_set.has_queued


@given(st.lists(st.integers(0, 3), max_size=8))
def test_a_set_is_confirmed_by_the_first_mark_before_which_nothing_arrived(
    between: list[int],
) -> None:
    """rumqttd sends marks before retained messages."""
    retained_set = RetainedSet("a.1")
    for number in between:
        mark = retained_set.next_confirming()
        for _ in range(number):
            retained_set.receive_retained()
        assert not retained_set.is_confirmed
        assert retained_set.receive_mark(mark)
        assert retained_set.is_confirmed == (number == 0)


def test_the_probe_or_any_retained_message_proves_delivery_through_wildcards() -> None:
    """Neither: the broker cannot."""
    probed, delivered, silent = RetainedSet("a.1"), RetainedSet("a.2"), RetainedSet("a.3")
    probed.receive_mark(probed.probe)
    delivered.receive_retained()
    silent.receive_mark(silent.queued)
    exact = RetainedSet("a.4")
    exact.receive_retained(proves_wildcard=False)

    brokers = (probed, delivered, silent, exact)
    assert [one.delivers_retained for one in brokers] == [True, True, False, False]
