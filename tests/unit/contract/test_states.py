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
    """Seven."""
    assert set(STATES) == {
        "neutral", "hugging", "punching", "shaking", "spinning", "throwing", "notconnected",
    }  # fmt: skip
    assert NOT_CONNECTED in STATES


def test_no_name_or_alias_belongs_to_two_states() -> None:
    """Names and aliases together."""
    names = [name for state, style in STATES.items() for name in (state, *style.aliases)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(STATES))
def test_every_state_has_a_label_and_a_colour(name: str) -> None:
    """A capitalised label, and a colour as `#rrggbb`."""
    style = STATES[name]

    assert style.label[:1].isupper()
    assert re.fullmatch(r"#[0-9a-f]{6}", style.color)
    assert all(re.fullmatch(r"[a-z]+", word) for word in (name, *style.aliases))


def test_labels_and_colours_are_distinct() -> None:
    """Each on its own."""
    assert len({style.label for style in STATES.values()}) == len(STATES)
    assert len({style.color for style in STATES.values()}) == len(STATES)


@given(
    st.sampled_from([(n, w) for n, style in STATES.items() for w in (n, *style.aliases)]), st.data()
)
def test_a_name_or_alias_is_recognised_in_any_letter_case(
    named: tuple[str, str], data: st.DataObject
) -> None:
    """Every one of them."""
    name, word = named
    spelled = "".join(data.draw(st.sampled_from([one, one.upper()])) for one in word)

    assert canonical_state(spelled) == name


@given(any_text)
def test_any_word_gives_a_state_or_none(word: str) -> None:
    """Never an exception."""
    assert canonical_state(word) in {None, *STATES}


def test_states_json_is_served_unchanged() -> None:
    """The page reads the same bytes as Python."""
    assert files("contract").joinpath("states.json").read_bytes() == STATES_JSON
    assert set(json.loads(STATES_JSON)) == set(STATES)
