"""The page's sentences: what each language has, and how they come into the page."""

import json

import pytest

from contract.states import STATES
from gateway.http.texts import Sentence, TextError, Texts, read_texts, text_modules


def test_a_sentence_in_its_place_is_escaped_for_html() -> None:
    """In text and in attributes."""
    texts = Texts("en", {"a.b": '"Fish" & <chips>'})
    escaped = "&quot;Fish&quot; &amp; &lt;chips&gt;"
    assert texts.put_into('<p title="{{a.b}}">{{a.b}}') == f'<p title="{escaped}">{escaped}'


def test_a_sentence_has_markup_where_its_place_says_so() -> None:
    """In the order of its language."""
    texts = Texts("de", {"a.b": "{two} <vor> {one}"})
    page = texts.put_into("{{a.b|one=<b>1</b>|two=<i>2</i>}}")
    assert page == "<i>2</i> &lt;vor&gt; <b>1</b>"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("{{a.none}}", "en has no sentence a.none"),
        ("{{a.plural}}", "en has no sentence a.plural"),
        ("{{a.value}}", "a.value has other values than its place"),
        ("{{a.b|value=<b>}}", "a.b has other values than its place"),
    ],
)
def test_a_sentence_that_does_not_fit_its_place_is_an_error(place: str, message: str) -> None:
    """At the start of the gateway."""
    table: dict[str, Sentence] = {"a.b": "b", "a.value": "{value}", "a.plural": {"other": "c"}}
    with pytest.raises(TextError, match=message):
        Texts("en", table).put_into(place)


def test_each_group_goes_where_it_is_needed() -> None:
    """The page's own sentences are in its source, so its scripts do not get them again."""
    table = dict.fromkeys(("page.a", "element.b", "story.c", "status.d", "state.e"), "<")
    texts = Texts("en", table)
    at_once = texts.put_into("{{texts}}", {"story"})
    assert at_once == '{"status.d":"\\u003c","state.e":"\\u003c"}'
    assert texts.of("story") == b'{"story.c":"\\u003c"}'
    assert json.loads(texts.of_element()) == {"element.b": "<", "state.e": "<"}


def test_what_a_language_lacks_is_english() -> None:
    """States have the labels of the contract."""
    texts = read_texts()
    keys = {frozenset(one.table) for one in texts.values()}
    assert len(keys) == 1
    for name, style in STATES.items():
        assert texts["en"].table[f"state.{name}"] == style.label


def test_the_element_has_a_module_for_each_language() -> None:
    """It loads them beside its own."""
    modules = text_modules({"de": Texts("de", {"state.a": "b", "page.c": "d"})})
    assert modules == {"texts/de.js": b'export default {"state.a":"b"};\n'}
