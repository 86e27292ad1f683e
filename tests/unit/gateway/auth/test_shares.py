"""Share links: durations, records and revocations."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.shares import ShareRecord
from gateway.auth.revocations import Revocations
from gateway.auth.scope import Scope
from gateway.auth.shares import make_share, parse_duration, parse_record

SHARE_ID = "0123456789abcdef"
KEY = "k" * 32


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("12 h", 43200), ("7d", 604_800), ("2W", 1_209_600)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-1d", "7 days", "1e3h", "999999w", "٣d"])
def test_what_is_no_duration_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|ten years"):
        parse_duration(text)


def test_a_record_has_no_token() -> None:
    share = make_share(SHARE_ID, Scope(frozenset({"cloud-1"})), KEY, now_s=5, lasts_s=None)
    assert share.record == ShareRecord(SHARE_ID, ["cloud-1"], 5)
    assert share.token not in repr(share.record)


@given(st.binary(max_size=50))
@example(b'{"a":' * 10_000)
def test_no_payload_of_a_record_raises(payload: bytes) -> None:
    parse_record(payload)


def test_revocations_are_bounded_and_counted() -> None:
    revocations = Revocations(limit=1)
    assert revocations.receive("a" * 16, b"x")
    assert not revocations.receive("a" * 16, b"x")
    assert not revocations.receive("b" * 16, b"x")
    assert not revocations.receive("+", b"x")
    assert (len(revocations), revocations.ignored) == (1, 1)
