"""Scopes: ids and prefixes, as a token names them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth.scope import EVERYTHING, MAX_PATTERNS, Scope, parse_scope

names = st.from_regex(r"[ab][ab-]{0,4}", fullmatch=True)
patterns = st.one_of(names, names.map(lambda name: name + "*"), st.just("*"))


@given(st.lists(patterns, min_size=1, max_size=12))
def test_the_written_form_of_a_scope_is_the_same_scope(entries: list[str]) -> None:
    scope = parse_scope(entries)
    assert isinstance(scope, Scope)
    assert parse_scope(scope.patterns) == scope
    assert parse_scope(list(reversed(entries))) == scope


def test_a_star_alone_is_everything() -> None:
    assert parse_scope(["cloud-1", "*"]) == EVERYTHING
    assert "any-pillow" in EVERYTHING


@pytest.mark.parametrize(
    "claim",
    [
        None,
        [],
        "cloud-1",
        {"cloud-1": 1},
        [1],
        [None],
        ["Cloud-1"],
        ["bridge"],
        ["a*b"],
        ["**"],
        ["ward /*"],
        ["a" * 64],
        ["-*"],
        ["cloud-1"] * (MAX_PATTERNS + 1),
    ],
)
def test_what_is_no_scope_is_named(claim: object) -> None:
    assert "claim pillows" in str(parse_scope(claim))
