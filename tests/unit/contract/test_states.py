"""States: declared once, each with a label, a colour, and names that mean one thing."""

import json
import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.states import NOT_CONNECTED, STATES, STATES_JSON, canonical_state
from tests.unit.contract.strategies import any_text


def test_the_states_are_those_of_the_design() -> None:
    """Seven, no more."""
    assert set(STATES) == {
        "neutral", "hugging", "punching", "shaking", "spinning", "throwing", "notconnected",
    }  # fmt: skip
    assert NOT_CONNECTED in STATES


def test_no_name_means_two_states() -> None:
    """Names and aliases together."""
    names = [name for state, look in STATES.items() for name in (state, *look.aliases)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(STATES))
def test_a_state_can_be_shown(name: str) -> None:
    """By a label that starts with a capital and a colour every browser knows."""
    look = STATES[name]

    assert look.label[:1].isupper()
    assert re.fullmatch(r"#[0-9a-f]{6}", look.color)
    assert all(re.fullmatch(r"[a-z]+", word) for word in (name, *look.aliases))


def test_no_two_states_look_alike() -> None:
    """In words or in colour."""
    assert len({look.label for look in STATES.values()}) == len(STATES)
    assert len({look.color for look in STATES.values()}) == len(STATES)


@given(
    st.sampled_from([(n, w) for n, look in STATES.items() for w in (n, *look.aliases)]), st.data()
)
def test_a_name_counts_in_any_letter_case(named: tuple[str, str], data: st.DataObject) -> None:
    """Also the short ones."""
    name, word = named
    spelled = "".join(data.draw(st.sampled_from([one, one.upper()])) for one in word)

    assert canonical_state(spelled) == name


@given(any_text)
def test_any_word_names_a_state_or_none(word: str) -> None:
    """Never an exception."""
    assert canonical_state(word) in {None, *STATES}


def test_the_file_is_handed_on_as_it_is() -> None:
    """The page reads the very bytes that Python reads."""
    assert files("contract").joinpath("states.json").read_bytes() == STATES_JSON
    assert set(json.loads(STATES_JSON)) == set(STATES)
