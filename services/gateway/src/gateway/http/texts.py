"""The page's sentences, one table a language: key → sentence. Pure but for `read_texts`.

A sentence has `{name}` for each value. One that depends on a number is a table of its own, by
plural category of Intl.PluralRules. The part of a key before the first dot is its group: sentences
of `page` are only in the page's source, those of `element` only in the element, those of a bundle
that the page loads later come with it, and all others are in the page for its scripts.
"""

import html
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, TypeAlias

import msgspec

from contract.states import STATES
from gateway.http.languages import ENGLISH, LANGUAGES, direction

Sentence: TypeAlias = str | dict[str, str]

ELEMENT_GROUPS: Final = frozenset({"age", "element", "last", "pillow", "pose", "state", "was"})
"""The groups of sentences that `<cloud-pillow>` uses."""

_NOT_FOR_THE_PAGES_SCRIPTS: Final = frozenset({"element", "page"})

_PLACE: Final = re.compile(r"\{\{(?P<key>[\w.-]+)(?P<parts>(?:\|\w+=[^{}|]*)*)\}\}")
"""A place in the page's source, `{{key}}` or `{{key|name=<b>markup</b>}}`."""

_VALUE: Final = re.compile(r"\{(\w+)\}")


class TextError(Exception):
    """A sentence is missing or does not fit its place; the message names its key."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The sentences of one language."""

    language: str
    table: Mapping[str, Sentence]

    def all(self) -> bytes:
        """Return all sentences as JSON."""
        return self._json(lambda _: True)

    def of(self, group: str) -> bytes:
        """Return the sentences of one group as JSON."""
        return self._json(lambda one: one == group)

    def of_element(self) -> bytes:
        """Return the sentences of the element as JSON."""
        return self._json(lambda one: one in ELEMENT_GROUPS)

    def put_into(self, page: str, later: Collection[str] = ()) -> str:
        """Return the page's source with the sentences in their places, escaped for HTML.

        `{{lang}}` and `{{dir}}` are the language and its direction, and `{{texts}}` is what the
        scripts need as JSON; groups of `later` are not in it.
        Raises TextError.
        """
        without = {*later, *_NOT_FOR_THE_PAGES_SCRIPTS}
        special = {
            "lang": self.language,
            "dir": direction(self.language),
            "texts": self._json(lambda one: one not in without).decode(),
        }
        return _PLACE.sub(lambda place: special.get(place["key"]) or self._sentence(place), page)

    def translate_manifest(self, manifest: bytes) -> bytes:
        """Return the manifest of the page as an application, in this language."""
        translated = {"lang": self.language, "dir": direction(self.language)}
        if "page.description" in self.table:
            translated["description"] = str(self.table["page.description"])
        return msgspec.json.encode(msgspec.json.decode(manifest) | translated)

    def for_html(self, key: str) -> str:
        """Return a sentence without values, escaped for HTML. Raises TextError."""
        sentence = self.table.get(key)
        if not isinstance(sentence, str):
            raise TextError(f"{self.language} has no sentence {key} for the page")
        return html.escape(sentence)

    def _sentence(self, place: re.Match[str]) -> str:
        sentence = self.for_html(place["key"])
        parts = dict(one.split("=", 1) for one in place["parts"].split("|")[1:])
        if {*_VALUE.findall(sentence)} != {*parts}:
            raise TextError(f"{self.language}: {place['key']} has other values than its place")
        return _VALUE.sub(lambda found: parts[found[1]], sentence)

    def _json(self, is_wanted: Callable[[str], bool]) -> bytes:
        """Encode the sentences of some groups.

        `<` is escaped, because it could end a script element.
        """
        table = {key: one for key, one in self.table.items() if is_wanted(key.partition(".")[0])}
        return msgspec.json.encode(table).replace(b"<", b"\\u003c")


def read_texts() -> dict[str, Texts]:
    """Read the sentences of all languages; one that a language lacks is English."""
    # The contract declares the English labels of states, for everything that shows them.
    english = {f"state.{name}": style.label for name, style in STATES.items()} | _read(ENGLISH)
    return {one: Texts(one, english | _read(one)) for one in LANGUAGES}


def text_modules(texts: Mapping[str, Texts]) -> dict[str, bytes]:
    """Return the modules of the element's sentences, by path."""
    return {
        f"texts/{language}.js": b"export default %b;\n" % one.of_element()
        for language, one in texts.items()
    }


def _read(language: str) -> dict[str, Sentence]:
    path = files("gateway").joinpath("texts", f"{language}.json")
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Sentence])
