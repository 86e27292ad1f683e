"""Spans: overlaps, gaps, and parts."""

from itertools import pairwise

from hypothesis import given

from history.spans import Span, cut, gaps, merged
from tests.unit.history.strategies import partitions, spans


@given(spans())
def test_merged_spans_cover_the_same_instants_without_overlap(given_spans: list[Span]) -> None:
    """The oldest comes first."""
    found = merged(given_spans)

    assert all(one[1] < two[0] for one, two in pairwise(found))
    for at_us in range(-110, 360):
        assert any(begin <= at_us <= end for begin, end in given_spans) == any(
            begin <= at_us <= end for begin, end in found
        )


@given(spans())
def test_gaps_and_spans_together_are_the_whole(given_spans: list[Span]) -> None:
    """And they do not overlap."""
    heard = merged(given_spans)
    missing = gaps((0, 100), heard)

    for at_us in range(100):
        in_gap = any(begin <= at_us < end for begin, end in missing)
        in_span = any(begin <= at_us < end for begin, end in heard)
        assert in_gap != in_span


@given(partitions(), spans())
def test_parts_lie_in_their_span_and_together_are_what_is_cut(
    whole: list[Span], given_spans: list[Span]
) -> None:
    """As far as the spans reach, each instant once."""
    pieces = merged(given_spans)
    found = cut(whole, pieces)

    assert found == sorted(found)
    for number, (began_us, ended_us) in found:
        assert whole[number][0] <= began_us < ended_us <= whole[number][1]
    for at_us in range(whole[0][0], whole[-1][1]):
        assert sum(begin <= at_us < end for _, (begin, end) in found) == any(
            begin <= at_us < end for begin, end in pieces
        )


def test_spans_with_gaps_between_them_leave_those_out() -> None:
    """What lies in no span is in no part."""
    assert cut([(0, 10), (20, 30)], [(5, 25)]) == [(0, (5, 10)), (1, (20, 25))]
