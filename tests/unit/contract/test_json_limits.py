"""Limits of JSON: nesting is counted outside strings, and a shown value is cut."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.json_limits import MAX_NESTING, abbreviated, is_nested_too_deeply


def depth_of(value: object) -> int:
    """How deep lists and objects nest, counted by recursion."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def nested(kinds: list[str], inner: object) -> object:
    """Return `inner` within a list or an object for each kind."""
    for kind in kinds:
        inner = [inner, []] if kind == "[" else {"a": {}, "[": inner}
    return inner


@given(st.lists(st.sampled_from("[{"), max_size=MAX_NESTING + 3), st.text('[]{}"\\a ', max_size=9))
def test_the_depth_is_that_of_lists_and_objects_outside_strings(
    kinds: list[str], text: str
) -> None:
    """Whatever stands beside them, and in strings."""
    value = nested(kinds, [text])
    assert is_nested_too_deeply(json.dumps(value)) == (depth_of(value) > MAX_NESTING)


@given(st.text('[]{}"\\a ', max_size=300))
def test_text_that_is_not_json_is_judged_as_well(text: str) -> None:
    """Without an error; the decoder refuses it."""
    assert is_nested_too_deeply(text) in (True, False)


@pytest.mark.parametrize(
    "text", ["[" * 65_000, "[]," * 21_000, "[" * 32_000 + "]" * 32_000, '"' * 65_000]
)
def test_64_kib_of_brackets_take_milliseconds(text: str) -> None:
    """A message from the queue or from the broker may be nothing else."""
    began_s = time.process_time()
    is_nested_too_deeply(text)
    assert time.process_time() - began_s < 0.05


@given(st.integers(1, 2 * MAX_NESTING))
def test_text_may_nest_as_deep_as_the_limit(depth: int) -> None:
    """And no deeper."""
    assert is_nested_too_deeply("[" * depth + "]" * depth) == (depth > MAX_NESTING)


def test_a_value_in_an_error_is_cut_to_80_characters() -> None:
    """A short one is shown completely."""
    assert abbreviated({"a": 1}) == "{'a': 1}"
    assert (len(abbreviated("x" * 9999)), abbreviated("x" * 9999)[-3:]) == (80, "...")
