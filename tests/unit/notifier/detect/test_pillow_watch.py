"""Which states and silences of pillows are events."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from contract.updates import EXPIRY_S
from notifier.detect.event import Found
from notifier.detect.marks import Mark, MarkChange
from notifier.detect.pillow import Moment
from notifier.detect.pillow_watch import FRESH_MS, KEPT_MS, MAX_DUE, SILENT_MS, PillowWatch, Step
from notifier.rules.literals import parse_pillows
from notifier.rules.schema import Rule
from tests.unit.notifier.examples import EPOCH_US, moment, rule, update

STATES = ("neutral", "hugging", "punching")
SAID = Mark("offline", "gone", "cloud-1")


def watch(*rules: Rule, max_pillows: int = 100) -> PillowWatch:
    """Return a watch on its first connection."""
    made = PillowWatch(rules, max_pillows)
    made.on_connecting()
    return made


def kinds(steps: Iterable[Step]) -> list[str]:
    """Return the events among steps: their kinds."""
    return [step.kind for step in steps if isinstance(step, Found)]


def tell(pillows: PillowWatch, steps: Iterable[Step]) -> list[str]:
    """Send every event, as if none was suppressed; return their kinds."""
    found = [step for step in steps if isinstance(step, Found)]
    for one in found:
        pillows.told(one)
    return [one.kind for one in found]


@given(st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 20)), max_size=40))
def test_one_hug_is_one_event_whatever_arrives_twice_or_late(
    reports: list[tuple[str, int]],
) -> None:
    """An event for each change into the state, in the order of the states."""
    pillows, newest, known, expected = watch(rule()), -1, None, 0
    found: list[str] = []
    for state, number in reports:
        found += kinds(pillows.receive_state(update(state, number), moment(number), retained=False))
        if number > newest:
            expected += state == "hugging" and known != "hugging"
            newest, known = number, state

    assert found == ["pillow.state"] * expected


def test_an_event_says_what_the_state_says() -> None:
    """And nothing that a device made up."""
    pillows = watch(rule())
    list(pillows.receive_state(update("neutral", 1), moment(0), retained=False))

    [found] = pillows.receive_state(update("hugging", 2), moment(5), retained=False)

    assert isinstance(found, Found)
    assert found.data == {
        "pillow": "cloud-1",
        "state": "hugging",
        "at": "2025-10-09T08:53:22.000Z",
        "previous": "neutral",
    }
    assert found.time_us == EPOCH_US + 2_000_000
    assert found.text == "cloud-1: Hugging"


def test_only_pillows_and_states_of_the_rule_are_events() -> None:
    pillows = watch(rule(pillows=parse_pillows(["ward-*"])))

    assert not kinds(pillows.receive_state(update("hugging", 1), moment(0), retained=False))
    assert not kinds(
        pillows.receive_state(update("neutral", 1, pillow="ward-1"), moment(0), retained=False)
    )
    assert kinds(
        pillows.receive_state(update("hugging", 2, pillow="ward-1"), moment(0), retained=False)
    )


def test_a_retained_state_at_the_start_is_no_event() -> None:
    """Nor is one that a poller publishes again because the broker has lost it."""
    pillows = watch(rule())
    assert not kinds(pillows.receive_state(update("hugging", 1), moment(0), retained=True))
    assert not kinds(pillows.receive_state(update("hugging", 1), moment(9), retained=False))
    late = replace(update("hugging", 1, pillow="b", queued_ms=0), published_ms=FRESH_MS + 1)
    assert not kinds(pillows.receive_state(late, moment(9), retained=False))


def test_after_another_connection_a_retained_state_is_compared() -> None:
    pillows = watch(rule())
    list(pillows.receive_state(update("neutral", 1), moment(0), retained=True))
    pillows.on_ready()
    pillows.on_connecting()

    assert kinds(pillows.receive_state(update("hugging", 2), moment(9), retained=True))
    pillows.on_connecting()
    assert not kinds(pillows.receive_state(update("hugging", 2), moment(9), retained=True))


def test_a_state_has_to_last_where_the_rule_says_so() -> None:
    """It is one event however often it is reported, at the time when it began."""
    pillows = watch(rule(lasts_s=10))
    list(pillows.receive_state(update("neutral", 1), moment(0), retained=False))
    for number in range(2, 20):
        reported = moment(number * 1000)
        assert not kinds(pillows.receive_state(update("hugging", number), reported, retained=False))
        due = [one for one in pillows.check(reported) if isinstance(one, Found)]
        assert bool(due) == (number == 12)
        if due:
            assert due[0].time_us == EPOCH_US + 2_000_000


def test_a_state_that_ended_before_is_no_event() -> None:
    pillows = watch(rule(lasts_s=10))
    list(pillows.receive_state(update("hugging", 1), moment(0), retained=False))
    list(pillows.receive_state(update("neutral", 2), moment(9_999), retained=False))
    list(pillows.receive_state(update("hugging", 3), moment(9_999), retained=False))

    assert not kinds(pillows.check(moment(10_000)))
    assert kinds(pillows.check(moment(19_999)))


def test_a_state_of_a_silent_pillow_does_not_last_until_it_says_so() -> None:
    """It may have ended in the meantime."""
    pillows = watch(rule(lasts_s=60))
    list(pillows.receive_state(update("hugging", 1), moment(0), retained=False))

    assert not kinds(pillows.check(moment(2 * SILENT_MS)))
    assert kinds(pillows.receive_state(update("hugging", 2), moment(3 * SILENT_MS), retained=False))
    assert not kinds(pillows.check(moment(10 * SILENT_MS)))


steps_of_silence = st.lists(
    st.one_of(
        st.tuples(st.just("report"), st.just(0)),
        st.tuples(st.just("online"), st.just(0)),
        st.tuples(st.just("offline"), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 15_000)),
    ),
    max_size=40,
)


@given(steps_of_silence)
def test_silence_is_told_once_and_so_is_its_end(steps: list[tuple[str, int]]) -> None:
    """Not before it has lasted, and never two of a kind in a row."""
    gone = rule("gone", "offline", lasts_s=10, also_back=True)
    pillows, now_ms, number, heard_ms = watch(gone), 0, 0, None
    told: list[str] = []
    for step, wait_ms in steps:
        now_ms += wait_ms
        now = moment(now_ms)
        found: list[str] = []
        if step == "report":
            number += 1
            found = tell(
                pillows, pillows.receive_state(update("neutral", number), now, retained=False)
            )
        elif step != "wait":
            online = step == "online"
            found = tell(
                pillows, pillows.receive_availability("cloud-1", now, online=online, retained=False)
            )
        if step in ("report", "online") or (step == "offline" and heard_ms is None):
            heard_ms = now_ms
        assert set(found) <= {"pillow.back"}
        due = tell(pillows, pillows.check(now))
        told += found + due
        if due:
            assert heard_ms is not None
            assert now_ms - heard_ms >= 10_000
        elif heard_ms is not None and now_ms - heard_ms >= 10_000:
            assert told[-1] == "pillow.offline"

    assert told == ["pillow.offline", "pillow.back"] * (len(told) // 2) + ["pillow.offline"] * (
        len(told) % 2
    )


def test_nobody_is_silent_while_nobody_can_be_heard() -> None:
    """A pillow of the queue needs the broker and a poller, one that speaks MQTT the broker."""
    gone = rule("gone", "offline", lasts_s=10)
    pillows = watch(gone)
    queued, spoken = update("neutral", 1, pillow="queued", queued_ms=5), update("neutral", 1)
    for one in (queued, spoken):
        list(pillows.receive_state(one, Moment(0, 0, 0), retained=False))

    found = [
        one.subject for one in pillows.check(Moment(20_000, 9_999, 0)) if isinstance(one, Found)
    ]
    assert found == ["cloud-1"]
    found = [
        one.subject for one in pillows.check(Moment(20_001, 10_000, 0)) if isinstance(one, Found)
    ]
    assert found == ["queued"]


def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    """But its end is."""
    gone = rule("gone", "offline", lasts_s=10, also_back=True)
    pillows = PillowWatch([gone], 100)
    marks = [Mark("alive", "", "cloud-1"), SAID, Mark("offline", "no-rule", "cloud-1")]

    assert list(pillows.restore(marks, moment(0))) == [MarkChange(marks[2], False)]
    pillows.on_connecting()
    list(pillows.receive_state(update("neutral", 1), moment(0), retained=True))
    pillows.on_ready()

    assert not kinds(pillows.check(moment(99_000)))
    steps = list(pillows.receive_state(update("neutral", 2), moment(99_000), retained=False))
    assert kinds(steps) == ["pillow.back"]
    assert MarkChange(SAID, False) in steps


def test_a_pillow_that_was_alive_before_a_restart_and_is_silent_since_is_told() -> None:
    """One that was never heard of is not: it has been silent for ever."""
    gone = rule("gone", "offline", lasts_s=10)
    pillows = PillowWatch([gone], 100)
    list(pillows.restore([Mark("alive", "", "cloud-1")], moment(0)))
    pillows.on_connecting()
    for name in ("cloud-1", "never"):
        list(pillows.receive_state(update("neutral", 1, pillow=name), moment(0), retained=True))
    pillows.on_ready()

    found = [one.subject for one in pillows.check(moment(10_000)) if isinstance(one, Found)]
    assert found == ["cloud-1"]


def test_a_retained_state_that_is_young_counts_as_heard() -> None:
    """The broker tells its age where it counts the expiry down."""
    gone = rule("gone", "offline", lasts_s=10)
    pillows = watch(gone)
    steps = list(
        pillows.receive_state(update("neutral", 1), moment(0), retained=True, expiry_s=EXPIRY_S - 5)
    )

    assert steps == [MarkChange(Mark("alive", "", "cloud-1"), True)]
    assert kinds(pillows.check(moment(10_000))) == ["pillow.offline"]


def test_a_removed_pillow_is_neither_silent_nor_known() -> None:
    """Also one that was removed while there was no connection."""
    gone = rule("gone", "offline", lasts_s=10)
    pillows = watch(gone)
    for name in ("removed", "missing"):
        list(pillows.receive_state(update("neutral", 1, pillow=name), moment(0), retained=False))
    removed = list(pillows.remove("removed"))
    pillows.on_connecting()
    pillows.on_ready()

    assert removed == [MarkChange(Mark("alive", "", "removed"), False)]
    assert not kinds(pillows.check(moment(10_000)))


def test_many_silences_at_once_are_told_in_parts() -> None:
    """So that messages are received in between; none is left out."""
    gone, number = rule("gone", "offline", lasts_s=10), 3 * MAX_DUE
    pillows = watch(gone, max_pillows=number)
    for one in range(number):
        list(
            pillows.receive_state(
                update("neutral", 1, pillow=f"p-{one}"), moment(0), retained=False
            )
        )
    found: list[str] = []
    while pillows.is_due(moment(10_000)):
        part = kinds(pillows.check(moment(10_000)))
        assert len(part) <= MAX_DUE
        found += part

    assert len(found) == number


def test_above_the_limit_the_pillow_that_was_silent_for_longest_is_forgotten() -> None:
    pillows = watch(rule(), max_pillows=2)
    for number, name in enumerate(("a", "b", "a", "c")):
        list(
            pillows.receive_state(update("hugging", number, pillow=name), moment(0), retained=False)
        )

    assert len(pillows) == 2
    assert pillows.forgotten == 1
    # It is new again, so that its hug is.
    assert kinds(pillows.receive_state(update("hugging", 9, pillow="b"), moment(0), retained=False))


def restarted(pillows: PillowWatch, stopped_ms: int, *marks: Mark) -> PillowWatch:
    """Return the watch of a notifier that starts at a moment of its own, with what was kept."""
    after = watch(rule("gone", "offline", lasts_s=600, also_back=True))
    kept = list(pillows.silences(moment(stopped_ms)))
    list(after.restore([Mark("alive", "", "cloud-1"), *marks], moment(5_000), kept))
    return after


def silent(queued_ms: int | None = None) -> PillowWatch:
    """Return a watch that has heard of a pillow once."""
    pillows = watch(rule("gone", "offline", lasts_s=600))
    heard = update("neutral", 1, queued_ms=queued_ms)
    list(pillows.receive_state(heard, moment(0), retained=False))
    return pillows


def test_a_silence_goes_on_after_a_restart() -> None:
    """What the broker tells again, `online` too, is no sign of life."""
    for queued_ms in (None, 7):
        after, heard = (
            restarted(silent(queued_ms), 400_000),
            update("neutral", 1, queued_ms=queued_ms),
        )
        told = list(after.receive_state(heard, moment(5_000), retained=True))
        told += after.receive_availability("cloud-1", moment(5_000), online=True, retained=True)
        after.on_ready()

        assert told == []
        assert not kinds(after.check(moment(204_999)))
        [found] = [one for one in after.check(moment(205_000)) if isinstance(one, Found)]
        assert (found.kind, found.data["silent_seconds"]) == ("pillow.offline", 600)


def test_a_pillow_that_was_heard_of_while_no_notifier_ran_is_not_silent() -> None:
    """Another state, or the same one for a later message; its return is told."""
    later = update("neutral", 1, queued_ms=8)
    for queued_ms, heard in ((None, update("hugging", 2)), (7, later)):
        after = restarted(silent(queued_ms), 700_000, SAID)
        steps = list(after.receive_state(heard, moment(5_000), retained=True))
        after.on_ready()

        assert kinds(steps) == ["pillow.back"]
        assert not kinds(after.check(moment(604_999)))
        assert kinds(after.check(moment(605_000))) == ["pillow.offline"]


def test_online_after_offline_is_a_return_also_across_a_restart() -> None:
    """That is so too where it is not known what the availability was."""
    pillows = silent()
    list(pillows.receive_availability("cloud-1", moment(10), online=False, retained=False))
    for stopped_ms in (700_000, 0):
        after = restarted(pillows, stopped_ms, SAID)
        steps = after.receive_availability("cloud-1", moment(5_000), online=True, retained=True)

        assert kinds(steps) == ["pillow.back"]


def test_what_is_retained_and_known_is_no_sign_of_life_after_another_connection() -> None:
    """A broker that comes and goes makes no silence shorter."""
    pillows = watch(rule("gone", "offline", lasts_s=10))
    list(pillows.receive_state(update("neutral", 1), moment(0), retained=False))
    pillows.on_connecting()
    list(pillows.receive_state(update("neutral", 1), moment(9_000), retained=True))
    list(pillows.receive_availability("cloud-1", moment(9_000), online=True, retained=True))
    pillows.on_ready()

    assert kinds(pillows.check(moment(10_000))) == ["pillow.offline"]


def test_short_silences_and_pillows_that_were_never_heard_of_are_not_kept() -> None:
    pillows = watch(rule("gone", "offline", lasts_s=10))
    list(pillows.receive_state(update("neutral", 1), moment(10), retained=False))
    list(pillows.receive_state(update("neutral", 1, pillow="never"), moment(0), retained=True))

    assert list(pillows.silences(moment(KEPT_MS))) == []
    assert [one.pillow for one in pillows.silences(moment(KEPT_MS + 10))] == ["cloud-1"]
