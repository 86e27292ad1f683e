"""Grants: the times and pillows of a token whose signature is right."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth.grants import Grant, Refused, grant_of
from gateway.auth.scope import EVERYTHING

NOW_MS = 1_763_791_200_000
NOW_S = NOW_MS // 1000

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


def grant(claims: dict[str, Any], share: str | None = None) -> Grant | Refused:
    return grant_of(claims, now_ms=NOW_MS, leeway_ms=30_000, share=share)


@given(st.integers(-120, 120), st.integers(-120, 120))
def test_a_token_is_valid_from_nbf_to_exp_with_the_leeway(begins: int, ends: int) -> None:
    outcome = grant({"nbf": NOW_S + begins, "exp": NOW_S + ends})
    assert isinstance(outcome, Grant) == (begins <= 30 and ends > -30)
    if isinstance(outcome, Grant):
        assert outcome.expires_ms == NOW_MS + (ends + 30) * 1000


@given(st.dictionaries(st.sampled_from(["exp", "nbf", "pillows", "iat", "jti"]), json_values))
def test_no_claims_raise_or_permit_without_an_end(claims: dict[str, Any]) -> None:
    outcome = grant(claims)
    assert isinstance(outcome, Refused) or outcome.expires_ms is not None


@given(st.dictionaries(st.sampled_from(["exp", "nbf", "iat", "jti"]), json_values))
def test_a_share_link_without_pillows_permits_nothing(claims: dict[str, Any]) -> None:
    assert isinstance(grant(claims, share="0123456789abcdef"), Refused)


def test_a_token_without_pillows_is_good_for_all() -> None:
    outcome = grant({"exp": NOW_S + 60})
    assert isinstance(outcome, Grant)
    assert outcome.scope == EVERYTHING


def test_a_share_link_may_have_no_end() -> None:
    outcome = grant({"pillows": ["cloud-1"]}, share="0123456789abcdef")
    assert isinstance(outcome, Grant)
    assert outcome.expires_ms is None
    assert outcome.share == "0123456789abcdef"


@pytest.mark.parametrize("value", [True, "1", float("nan"), float("inf"), -1, 1e300, 10**400, [1]])
@pytest.mark.parametrize("name", ["exp", "nbf"])
def test_a_time_that_is_none_is_refused(name: str, value: object) -> None:
    outcome = grant({"exp": NOW_S + 60, name: value})
    assert isinstance(outcome, Refused)
    assert f"claim {name}" in outcome.reason
    assert len(outcome.reason) < 200


def test_a_malformed_scope_permits_nothing() -> None:
    assert isinstance(grant({"exp": NOW_S + 60, "pillows": None}), Refused)
