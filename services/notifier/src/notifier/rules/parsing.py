"""Parses a rules file: a rule book, or a sentence for each thing that is wrong with it. Pure."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, TypeVar

import msgspec

from contract.topics import is_instance_name
from notifier.rules.literals import check_url, parse_duration, parse_secrets
from notifier.rules.rule_table import RuleTable, listed, parse_rule
from notifier.rules.schema import (
    FORMATS,
    MAX_DESTINATIONS,
    MAX_RULES,
    BodyFormat,
    Destination,
    Rule,
    RuleBook,
)

MAX_FILE_BYTES: Final = 1_000_000
MIN_TIMEOUT_S: Final = 0.1
MAX_TIMEOUT_S: Final = 120.0
MAX_RETRY_S: Final = 3600.0

ReadFile = Callable[[str], str]
"""Returns the text of a file that a rules file names, without blanks around it; raises ValueError
with the end of a sentence that begins with the path."""

_Table = TypeVar("_Table", bound=msgspec.Struct)


class DestinationTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table [destination.NAME] as it is written."""

    url: str | None = None
    url_file: str | None = None
    format: BodyFormat = "cloudevents"
    secret_file: str | None = None
    token_file: str | None = None
    ca_file: str | None = None
    private: bool = False
    timeout: str = "15s"
    give_up_after: str = "24h"
    retry_max: str = "5m"


class InvalidRules(Exception):
    """The rules cannot be used; the message has a line for each thing that is wrong."""


def parse_rule_book(content: bytes, read_file: ReadFile) -> RuleBook:
    """Return the rules and destinations of a file; raises InvalidRules."""
    try:
        document = tomllib.loads(content.decode())
    except (UnicodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidRules(f"  it is no TOML: {error}") from None
    problems = list(_unknown_keys("", document, ("destination", "rule")))
    tables, rule_tables = document.get("destination", {}), document.get("rule", [])
    if not isinstance(tables, dict) or not isinstance(rule_tables, list):
        raise InvalidRules("  write destinations as [destination.NAME] and rules as [[rule]]")
    if not rule_tables:
        problems.append("  there is no rule; write at least one [[rule]]")
    if len(tables) > MAX_DESTINATIONS or len(rule_tables) > MAX_RULES:
        problems.append(f"  at most {MAX_DESTINATIONS} destinations and {MAX_RULES} rules are read")
    destinations, secrets = _destinations(tables, read_file, problems)
    rules = _rules(rule_tables, tables.keys(), problems)
    if problems:
        raise InvalidRules("\n".join(problems))
    return RuleBook(tuple(rules), destinations, tuple(secrets))


def _destinations(
    tables: Mapping[str, Any], read_file: ReadFile, problems: list[str]
) -> tuple[dict[str, Destination], list[str]]:
    found, secrets = {}, []
    for name, table in tables.items():
        place = f"destination.{name}"
        if not is_instance_name(name):
            problems.append(f"  {place}: the name may have a-z, 0-9 and hyphens, at most 63")
            continue
        written = _convert(place, table, DestinationTable, problems)
        if written is None:
            continue
        reader = _Reader(place, read_file, problems)
        destination = _destination(name, written, reader)
        secrets += reader.secrets
        if destination is not None:
            found[name] = destination
    return found, secrets


class _Reader:
    """Reads the values of one table, and notes what is wrong with each."""

    def __init__(self, place: str, read_file: ReadFile, problems: list[str]) -> None:
        self.place = place
        self._read_file = read_file
        self._problems = problems
        self.secrets: list[str] = []

    def wrong(self, key: str, sentence: object) -> None:
        """Note what is wrong with a key."""
        self._problems.append(f"  {self.place}.{key} {sentence}")

    def file(self, key: str, path: str | None, *, is_secret: bool = True) -> str | None:
        """Return the text of the file that a key names; None without one."""
        if path is None:
            return None
        try:
            text = self._read_file(path)
        except ValueError as error:
            self.wrong(key, f"= {path!r}: {error}")
            return None
        if is_secret:
            self.secrets += text.split()
        return text

    def duration(self, key: str, text: str, low_s: float, high_s: float) -> float:
        """Return the seconds of a duration within bounds."""
        try:
            seconds = parse_duration(text)
        except ValueError as error:
            self.wrong(key, f"= {text!r} {error}")
            return low_s
        if not low_s <= seconds <= high_s:
            self.wrong(key, f"= {text!r} is not within {low_s:g} s and {high_s:g} s")
        return seconds


def _destination(name: str, written: DestinationTable, reader: _Reader) -> Destination | None:
    url, url_key = written.url, "url"
    if (written.url is None) == (written.url_file is None):
        reader.wrong("url", "or url_file is needed, and not both")
        return None
    if written.url_file is not None:
        url, url_key = reader.file("url_file", written.url_file), "url_file"
    if url is not None:
        reader.secrets.append(url)
        try:
            check_url(url, allows_private=written.private)
        except ValueError as error:
            reader.wrong(url_key, error)
    keys: tuple[bytes, ...] = ()
    secret = reader.file("secret_file", written.secret_file)
    if secret is not None:
        try:
            keys = parse_secrets(secret)
        except ValueError as error:
            reader.wrong("secret_file", f"= {written.secret_file!r} {error}")
    token = reader.file("token_file", written.token_file)
    if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
        reader.wrong("token_file", f"= {written.token_file!r} is not one line of ASCII characters")
    ca = reader.file("ca_file", written.ca_file, is_secret=False)
    timeout_s = reader.duration("timeout", written.timeout, MIN_TIMEOUT_S, MAX_TIMEOUT_S)
    give_up_s = reader.duration("give_up_after", written.give_up_after, 1.0, 30 * 86_400.0)
    retry_max_s = reader.duration("retry_max", written.retry_max, 0.1, MAX_RETRY_S)
    return Destination(
        name, url or "", written.format, keys, token, written.private, ca, timeout_s,
        give_up_s, retry_max_s,
    )  # fmt: skip


def _rules(tables: list[Any], destinations: Any, problems: list[str]) -> list[Rule]:
    rules: list[Rule] = []
    names: set[str] = set()
    for index, table in enumerate(tables):
        name = table.get("name") if isinstance(table, dict) else None
        place = f"rule {name!r}" if isinstance(name, str) else f"rule[{index}]"
        written = _convert(place, table, RuleTable, problems)
        if written is None:
            continue
        if written.name in names:
            problems.append(f"  {place}: another rule has this name; change one of them")
        names.add(written.name)
        problems += [
            f"  {place}: to names {unknown!r}, but there is no [destination.{unknown}]"
            f"{_meant(unknown, destinations)}"
            for unknown in sorted(set(listed(written.to)) - set(destinations))
        ]
        rule = parse_rule(written)
        if isinstance(rule, list):
            problems += [f"  {place}: {sentence}" for sentence in rule]
            continue
        rules.append(rule)
    return rules


def _convert(place: str, table: object, kind: type[_Table], problems: list[str]) -> _Table | None:
    """Return a table as its type; None if it is none, and what is wrong is noted."""
    if not isinstance(table, dict):
        problems.append(f"  {place} is no table")
        return None
    known = [one.encode_name for one in msgspec.structs.fields(kind)]
    unknown = list(_unknown_keys(f"{place}: ", table, known))
    problems += unknown
    known_part = {key: value for key, value in table.items() if key in known}
    try:
        return msgspec.convert(known_part, kind)
    except msgspec.ValidationError as error:
        problems.append(f"  {place}: {_plain(str(error))}")
        return None


def _plain(error: str) -> str:
    """Return msgspec's sentence in the words of a TOML file."""
    sentence, _, path = error.partition(" - at `$")
    key = path.rstrip("`").lstrip(".")
    sentence = sentence.replace("Object missing required field", "it lacks the key")
    sentence = sentence.replace("`str | array`", "a text or a list of texts")
    sentence = sentence.replace("`str | null`", "a text").replace("`bool | null`", "true or false")
    if sentence.startswith("Invalid enum value") and key == "format":
        sentence += f"; use one of {', '.join(FORMATS)}"
    return f"{key}: {sentence}" if key else sentence


def _unknown_keys(place: str, table: Mapping[str, Any], known: Any) -> Iterator[str]:
    for key in table:
        if key not in known:
            yield f"  {place}{key!r} is not known{_meant(key, known)}"


def _meant(key: str, known: Any) -> str:
    near = get_close_matches(key, list(known), n=1)
    return f"; was {near[0]!r} meant?" if near else ""
