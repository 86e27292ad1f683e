"""Limits of JSON: nesting is counted outside strings, and a shown value is cut."""

import json

from hypothesis import given
from hypothesis import strategies as st

from contract.json_limits import MAX_NESTING, abbreviated, is_nested_too_deeply, nesting_depth


@given(st.text('[]{}"\\a ', max_size=40))
def test_brackets_in_strings_do_not_count_as_nesting(text: str) -> None:
    """Whatever the string, within a list of known depth."""
    assert nesting_depth(json.dumps([[[text]]])) == 3
    assert nesting_depth(text) <= len(text)


@given(st.integers(1, 2 * MAX_NESTING))
def test_text_may_nest_as_deep_as_the_limit(depth: int) -> None:
    """And no deeper."""
    assert is_nested_too_deeply("[" * depth + "]" * depth) == (depth > MAX_NESTING)


def test_a_value_in_an_error_is_cut_to_80_characters() -> None:
    """A short one is shown completely."""
    assert abbreviated({"a": 1}) == "{'a': 1}"
    assert (len(abbreviated("x" * 9999)), abbreviated("x" * 9999)[-3:]) == (80, "...")
