"""Patterns of pillows: ids and prefixes, as tokens and rules name them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.pillow_patterns import EVERY_PILLOW, PillowPatterns, is_pillow_pattern

names = st.from_regex(r"[ab][ab-]{0,4}", fullmatch=True)
patterns = st.one_of(names, names.map(lambda name: name + "*"), st.just("*"))


def permits(entries: list[str], pillow: str) -> bool:
    return any(
        pillow.startswith(one[:-1]) if one.endswith("*") else pillow == one for one in entries
    )


@given(st.lists(patterns, min_size=1, max_size=12), names)
def test_a_pillow_is_in_patterns_if_any_of_them_names_it(entries: list[str], pillow: str) -> None:
    assert (pillow in PillowPatterns.of(entries)) == permits(entries, pillow)


@given(st.lists(patterns, min_size=1, max_size=12))
def test_the_written_form_is_of_the_same_pillows(entries: list[str]) -> None:
    found = PillowPatterns.of(entries)
    assert PillowPatterns.of(found.patterns) == found
    assert PillowPatterns.of(list(reversed(entries))) == found


def test_a_star_alone_is_every_pillow() -> None:
    assert PillowPatterns.of(["cloud-1", "*"]) == EVERY_PILLOW
    assert "any-pillow" in EVERY_PILLOW


@given(patterns)
def test_ids_and_prefixes_are_patterns(text: str) -> None:
    assert is_pillow_pattern(text)


@pytest.mark.parametrize(
    "text", [1, None, "", "Cloud-1", "bridge", "a*b", "**", "ward /*", "a" * 64, "-*"]
)
def test_anything_else_is_no_pattern(text: object) -> None:
    assert not is_pillow_pattern(text)


def test_a_prefix_may_be_that_of_the_services() -> None:
    """Because a pillow may be called bridge-1."""
    assert "bridge-1" in PillowPatterns.of(["bridge*"])
    assert is_pillow_pattern("bridge*")
