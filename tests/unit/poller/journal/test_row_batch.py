"""Rows that are written together."""

from poller.journal.journal_file import JournalRow
from poller.journal.row_batch import RowBatch
from poller.journal.save_marks import SaveMark


async def test_a_batch_that_failed_is_written_with_the_later_one() -> None:
    """The later row of a pillow counts, and whoever waits for either waits for both."""
    first, later = (JournalRow("a", payload, SaveMark("a0", 1)) for payload in (b"1", b"2"))
    one, two = RowBatch({"a": first, "b": None}), RowBatch({"a": later})
    waits = [one.committed, two.committed]
    assert one.committed is waits[0]

    both = one.followed_by(two)
    assert both.rows == {"a": later, "b": None}
    assert not any(wait.done() for wait in waits)
    both.release()
    assert all(wait.done() for wait in waits)
