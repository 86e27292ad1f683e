"""The language that a request gets."""

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.languages import LANGUAGES, choose_language, direction


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE-ch", "de"),
        ("zh-Hant-TW, ja;q=0.8, en;q=0.7", "ja"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "en"),
        ("pt", "en"),
        ("en;q=0.4, fr;q=0.6", "fr"),
        ("en;q=0.5, es;q=0.5", "en"),
        ("ar;q=0, fr;q=0.1", "fr"),
        ("pl, *;q=0.5, de;q=0.1", "en"),
        ("de;q=x, es", "es"),
        ("de;q=1.5, ;;, ja ; q = 0.3", "ja"),
        ("german", "en"),
        ("de," * 600, "en"),
    ],
)
def test_the_most_wanted_language_that_there_is_is_chosen(accept: str, language: str) -> None:
    """Weights count, regions do not; what cannot be read is left out."""
    assert choose_language("", accept) == language


@pytest.mark.parametrize(
    ("asked", "language"), [("ja", "ja"), ("AR-eg", "ar"), ("pt", "de"), ("", "de"), ("*", "en")]
)
def test_the_query_goes_first(asked: str, language: str) -> None:
    """Unless there is no such language."""
    assert choose_language(asked, "de") == language


@given(st.text(), st.text())
def test_any_value_has_a_language(asked: str, accept: str) -> None:
    """Clients choose them."""
    assert choose_language(asked, accept) in LANGUAGES


def test_arabic_is_written_from_right_to_left() -> None:
    """All others are not."""
    assert [one for one in LANGUAGES if direction(one) == "rtl"] == ["ar"]


def test_each_language_has_a_table() -> None:
    """And each table a language."""
    tables = files("gateway").joinpath("texts").iterdir()
    assert {one.name for one in tables} == {f"{language}.json" for language in LANGUAGES}
