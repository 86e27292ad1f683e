"""When the queue is too old."""

from hypothesis import given
from hypothesis import strategies as st

from contract.queue_report import QueueReport, encode_queue_report
from notifier.detect.event import Found
from notifier.detect.marks import Mark, MarkChange
from notifier.detect.queue_watch import MAX_POLLERS, QueueAge, QueueWatch
from tests.unit.notifier.examples import rule

OLD = rule("old", "queue", lasts_s=60, also_back=True)


def report(
    queue: QueueWatch, oldest_s: int, now_ms: int, *, answers: bool = True, name: str = "a"
) -> None:
    """Have a poller report."""
    payload = encode_queue_report(QueueReport(oldest_s, answers))
    assert queue.receive_report(name, payload, now_ms)


def watch(*pollers: str) -> QueueWatch:
    """Return a watch with pollers that are online."""
    queue = QueueWatch([OLD])
    for name in pollers:
        queue.receive_status(name, b"online", 0)
    return queue


def check(queue: QueueWatch, now_ms: int) -> list[str]:
    """Return the kinds of the events that are due, none of which is suppressed."""
    found = [one for one in queue.check(now_ms, 7) if isinstance(one, Found)]
    for one in found:
        queue.told(one)
    return [one.kind for one in found]


def test_a_message_that_waits_is_told_once_and_so_is_the_end() -> None:
    """An age about the limit is one event."""
    queue = watch("a")
    report(queue, 0, 0)
    assert not check(queue, 600_000)
    report(queue, 59, 600_000)
    assert not check(queue, 600_999)
    assert check(queue, 601_000) == ["queue.old"]
    report(queue, 59, 610_000)
    assert not check(queue, 610_000)
    report(queue, 29, 620_000)
    assert check(queue, 620_000) == ["queue.recovered"]


def test_no_poller_is_an_old_queue_too() -> None:
    """From the start, and from the moment when the last one went."""
    queue = watch()
    assert queue.age(60_000) == QueueAge(60_000, "no-poller")
    queue.receive_status("a", b"online", 60_000)
    assert queue.age(90_000) == QueueAge(0, "waiting")
    queue.receive_status("b", b"online", 90_000)
    queue.receive_status("a", b"offline", 90_000)
    assert queue.age(99_000) == QueueAge(0, "waiting")
    queue.receive_status("b", b"", 100_000)
    assert queue.age(130_000) == QueueAge(30_000, "no-poller")
    assert not queue.is_reachable


def test_a_poller_that_gets_no_answer_knows_nothing_where_another_does() -> None:
    queue = watch("a", "b")
    report(queue, 300, 0, answers=False)
    assert queue.age(0) == QueueAge(300_000, "no-answer")
    assert queue.is_reachable, "b has not said that the queue does not answer"
    report(queue, 0, 0, name="b")
    assert queue.age(5_000) == QueueAge(0, "waiting")
    report(queue, 200, 0, answers=False, name="b")
    assert queue.age(0).ms == 300_000
    assert not queue.is_reachable


def test_a_broker_that_retains_nothing_tells_by_states_that_there_is_a_poller() -> None:
    queue = watch()
    assert not queue.is_reachable
    queue.hear_state()
    assert queue.is_reachable
    assert queue.age(99_000) == QueueAge(0, "waiting")


def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    queue = QueueWatch([OLD])
    gone = Mark("queue", "no-rule", "")

    assert list(queue.restore([Mark("queue", "old", ""), gone])) == [MarkChange(gone, False)]
    assert not check(queue, 90_000)
    queue.receive_status("a", b"online", 90_000)
    assert check(queue, 90_000) == ["queue.recovered"]


def test_the_number_of_pollers_is_bounded() -> None:
    """One that is offline makes room; what is ignored is counted."""
    queue = watch(*(f"p{number}" for number in range(MAX_POLLERS)))
    queue.receive_status("one-more", b"online", 0)
    assert queue.ignored == 1
    queue.receive_status("p0", b"offline", 0)
    queue.receive_status("one-more", b"online", 0)
    assert queue.ignored == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.sampled_from([b"online", b"offline", b"", b"?"]),
            st.binary(max_size=30)
            | st.builds(lambda s: b'{"oldest_s":%d}' % s, st.integers(0, 99)),
            st.integers(0, 40_000),
        ),
        max_size=30,
    )
)
def test_events_alternate_whatever_pollers_say(
    steps: list[tuple[str, bytes, bytes, int]],
) -> None:
    queue, now_ms = watch(), 0
    told: list[str] = []
    for name, status, payload, wait_ms in steps:
        now_ms += wait_ms
        queue.receive_status(name, status, now_ms)
        queue.receive_report(name, payload, now_ms)
        told += check(queue, now_ms)

    assert told == (["queue.old", "queue.recovered"] * len(told))[: len(told)]
