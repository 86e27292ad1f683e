"""Save marks: a broker that is killed at any moment lost what was written after its last save."""

from hypothesis import given
from hypothesis import strategies as st

from poller.journal.save_marks import (
    WITHOUT_JOURNAL,
    SaveMark,
    SaveMarks,
    decode_mark,
    encode_mark,
)


@given(st.from_regex(r"[0-9a-f]{1,64}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_a_mark_is_decoded_as_it_was_encoded(journal: str, number: int) -> None:
    """Every id and number."""
    mark = SaveMark(journal, number)

    assert decode_mark(encode_mark(mark)) == mark


def test_each_journal_has_a_topic_and_all_starts_without_one_share_a_topic() -> None:
    """A topic for each start would stay on the broker, and nobody could use its mark."""
    assert SaveMark("0a1f0a1f0a1f0a1f", 1).level == "0a1f0a1f0a1f0a1f"
    starts = [SaveMark(WITHOUT_JOURNAL + start, 1) for start in ("0a1f", "0a20")]
    assert {mark.level for mark in starts} == {WITHOUT_JOURNAL}
    assert decode_mark(encode_mark(starts[0])) != decode_mark(encode_mark(starts[1]))


@given(st.binary(max_size=100))
def test_any_other_payload_is_no_mark(payload: bytes) -> None:
    """An empty one removes the mark."""
    mark = decode_mark(payload)

    assert mark is None or encode_mark(mark)[: len(mark.journal)] == payload[: len(mark.journal)]
    assert decode_mark(b"") is None
    assert decode_mark(b"a0 -1") is None


def test_the_next_mark_is_above_every_mark_of_the_journal() -> None:
    """Those that the broker retains, and those that states in the journal have."""
    marks = SaveMarks("a0", 7)
    assert marks.next == SaveMark("a0", 8)
    marks.receive(SaveMark("b0", 50))
    assert marks.advance() == SaveMark("a0", 8)
    marks.receive(SaveMark("a0", 30))
    assert marks.next == SaveMark("a0", 31)
    marks.change_journal("b0", 4)
    assert marks.next == SaveMark("b0", 51)
    assert not marks.is_own(SaveMark("a0", 1))


@given(
    st.lists(st.sampled_from(["write", "mark", "save"]), max_size=30),
    st.integers(0, 10),
)
def test_a_broker_with_a_mark_has_every_state_before_it(steps: list[str], first: int) -> None:
    """And a state whose mark it does not have may be lost."""
    marks = SaveMarks("a0", first)
    written: list[SaveMark] = []
    retained, saved = (0, marks.advance()), (0, SaveMark("a0", 0))
    for step in steps:
        if step == "write":
            written.append(marks.next)
            retained = (len(written), retained[1])
        elif step == "mark":
            retained = (retained[0], marks.advance())
        else:
            saved = retained
    marks.receive(saved[1])

    for index, mark in enumerate(written):
        assert not marks.is_saved(mark) or index < saved[0]
    assert not marks.is_saved(marks.never)
    marks.clear()
    assert not any(map(marks.is_saved, written))
