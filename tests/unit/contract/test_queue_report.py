"""Reports on the queue: what is no report is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.queue_report import (
    MAX_OLDEST_S,
    QueueReport,
    decode_queue_report,
    encode_queue_report,
)

reports = st.builds(QueueReport, st.integers(0, MAX_OLDEST_S), st.booleans())


@given(reports)
def test_a_report_is_read_as_it_was_written(report: QueueReport) -> None:
    """Also by a person: it is JSON."""
    assert decode_queue_report(encode_queue_report(report)) == report


def test_a_longer_time_is_written_as_the_longest() -> None:
    """So that every report that is written can be read."""
    assert decode_queue_report(encode_queue_report(QueueReport(10**12))) == QueueReport(
        MAX_OLDEST_S
    )


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"7", b"[]", b"{}", b'{"oldest_s":-1}', b'{"oldest_s":1.5}', b'{"oldest_s":"1"}'),
        *(b'{"oldest_s":1e400}', b'{"oldest_s":99999999999}', b"\xff", b"[" * 10_000),
    ],
)
def test_anything_else_is_no_report(payload: bytes) -> None:
    """Never an exception."""
    assert decode_queue_report(payload) is None


@given(st.binary(max_size=40))
def test_any_bytes_are_a_report_or_none(payload: bytes) -> None:
    """Never an exception."""
    report = decode_queue_report(payload)

    assert report is None or 0 <= report.oldest_s <= MAX_OLDEST_S
