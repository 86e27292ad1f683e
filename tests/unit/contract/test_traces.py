"""Trace contexts, from messages of anybody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.traces import SAMPLED, TraceContext, parse_traceparent
from tests.unit.contract.strategies import any_text

VALID = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_context_has_its_ids_and_flags() -> None:
    """As W3C Trace Context has them."""
    context = parse_traceparent(VALID)

    assert context == TraceContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, SAMPLED)
    assert str(context) == VALID


@pytest.mark.parametrize(
    "value",
    [
        "",
        None,
        7,
        [VALID],
        VALID.encode(),
        VALID.upper(),
        VALID + "\n",
        VALID + "-00",
        " " + VALID,
        VALID.replace("00-0af", "ff-0af"),
        VALID.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        VALID.replace("b7ad6b7169203331", "0" * 16),
        VALID.replace("-", "_"),
        VALID.replace("0af", "٠af"),
        "0" * 100_000,
    ],
)
def test_anything_else_is_none(value: object) -> None:
    """Ids of zeros and the version ff are invalid, and only ASCII digits count."""
    assert parse_traceparent(value) is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    """W3C Trace Context §3.2.2.4; what is written has the version that is known."""
    context = parse_traceparent(VALID.replace("00-", "42-", 1))

    assert context is not None
    assert str(context) == VALID


@given(any_text | st.from_regex(r"[0-9a-f-]{55}", fullmatch=True))
def test_any_text_is_a_context_or_none(text: str) -> None:
    """Never an exception."""
    context = parse_traceparent(text)

    assert context is None or parse_traceparent(str(context)) == context


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.integers(0, 255))
def test_a_context_is_read_back(trace_id: int, span_id: int, flags: int) -> None:
    """Whatever its ids."""
    context = TraceContext(trace_id, span_id, flags)

    assert parse_traceparent(str(context)) == context
