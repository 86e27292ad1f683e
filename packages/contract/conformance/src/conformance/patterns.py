"""Patterns: what a session expects of a JSON value, with wildcards and names. Pure.

A text of the form `<…>` in an expected value is a wildcard:

    <any>          anything
    <text>         a text that is not empty
    <number>       a number
    <ms>           whole Unix milliseconds within a day of the runner's clock
    <count>        a whole number from 1
    <timestamp>    a date-time of RFC 3339
    <cursor>       a cursor
    <state NAME>   the state that the session published under a name, byte for byte

`<cursor:NAME>` remembers what it matched; `{NAME}` in a later text is replaced by it.
A key that ends with `?` may be missing; a key that begins with `!` must be.
Other fields of an object are ignored, because a client has to ignore them too.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

DAY_MS: Final = 86_400_000

_WILDCARD: Final = re.compile(r"<(?P<kind>[a-z]+)(?:[ :](?P<name>[A-Za-z0-9_-]+))?>")
_NAME: Final = re.compile(r"\{([A-Za-z0-9_-]+)\}")
_TEXTS: Final = {
    "text": re.compile(r".+", re.DOTALL),
    "cursor": re.compile(r"[a-z0-9]{1,32}:[0-9]{1,18}"),
    "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
}


@dataclass
class Names:
    """The named texts of a session, and the payloads of the states that it published."""

    texts: dict[str, str] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)

    def fill(self, value: Any) -> Any:
        """Return a value with every `{NAME}` in its texts and keys replaced."""
        if isinstance(value, str):
            return _NAME.sub(lambda found: self.texts.get(found[1], found[0]), value)
        if isinstance(value, list):
            return [self.fill(one) for one in value]
        if isinstance(value, dict):
            return {self.fill(key): self.fill(one) for key, one in value.items()}
        return value


@dataclass(frozen=True)
class Received:
    """A JSON value that was received, with its bytes and the time on the runner's clock."""

    value: Any
    data: bytes
    now_ms: int


def mismatches(expected: Any, received: Received, names: Names) -> list[str]:
    """Return where a value is not as expected; remember the names if it is."""
    remembered: dict[str, str] = {}
    found = list(_compare(names.fill(expected), received.value, "", received, names, remembered))
    if not found:
        names.texts.update(remembered)
    return found


def _compare(
    expected: Any,
    value: Any,
    place: str,
    received: Received,
    names: Names,
    remembered: dict[str, str],
) -> Iterator[str]:
    if isinstance(expected, dict):
        if not isinstance(value, dict):
            yield f"{place or 'it'} is {_shown(value)}, not an object"
            return
        for key, wanted, is_there in _fields(expected, value):
            at = f"{place}/{key}"
            if wanted is _ABSENT:
                yield f"{at} should be absent"
            elif is_there:
                yield from _compare(wanted, value[key], at, received, names, remembered)
            else:
                yield f"{at} is missing"
    elif isinstance(expected, list):
        if not isinstance(value, list) or len(value) != len(expected):
            yield f"{place or 'it'} is {_shown(value)}, not {_shown(expected)}"
            return
        for index, (wanted, got) in enumerate(zip(expected, value, strict=True)):
            yield from _compare(wanted, got, f"{place}/{index}", received, names, remembered)
    elif isinstance(expected, str) and (wildcard := _WILDCARD.fullmatch(expected)):
        fault = _wildcard_fault(wildcard, value, received, names)
        if fault:
            yield f"{place or 'it'} is {_shown(value)}, not {fault}"
        elif wildcard["name"] and wildcard["kind"] != "state":
            remembered[wildcard["name"]] = str(value)
    elif value != expected or isinstance(value, bool) != isinstance(expected, bool):
        yield f"{place or 'it'} is {_shown(value)}, not {_shown(expected)}"


_ABSENT: Final = object()


def _fields(
    expected: Mapping[str, Any], value: Mapping[str, Any]
) -> Iterator[tuple[str, Any, bool]]:
    """Yield each expected key that matters, with what is wanted and whether it is there."""
    for key, wanted in expected.items():
        if key.startswith("!"):
            if key[1:] in value:
                yield key[1:], _ABSENT, True
        elif key.endswith("?"):
            if key[:-1] in value:
                yield key[:-1], wanted, True
        else:
            yield key, wanted, key in value


def _wildcard_fault(
    wildcard: re.Match[str], value: Any, received: Received, names: Names
) -> str | None:
    """Return what a value should have been; None if it is."""
    kind = wildcard["kind"]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "any":
        return None
    if kind in _TEXTS:
        is_text = isinstance(value, str) and _TEXTS[kind].fullmatch(value) is not None
        return None if is_text else f"a {kind}"
    if kind == "number":
        return None if is_number else "a number"
    if kind == "count":
        return None if isinstance(value, int) and is_number and value >= 1 else "a number from 1"
    if kind == "ms":
        is_right = isinstance(value, int) and is_number and abs(value - received.now_ms) <= DAY_MS
        return None if is_right else "milliseconds of now"
    if kind == "state":
        payload = names.states[wildcard["name"]]
        if value != json.loads(payload):
            return f"the state {_shown(json.loads(payload))}"
        return None if payload in received.data else f"byte for byte {payload.decode()!r}"
    raise ValueError(f"{wildcard[0]} is no wildcard")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"
