"""Parses one rule: which keys its trigger has, and what they may be. Pure."""

import re
import string
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from contract.messages import Reason
from contract.pillow_patterns import EVERY_PILLOW, PillowPatterns
from contract.states import STATES
from contract.topics import is_instance_name
from notifier.rules.literals import parse_duration, parse_pillows
from notifier.rules.schema import TRIGGERS, Rule, Trigger

MAX_TEXT_CHARACTERS: Final = 500

PLACEHOLDERS: Final[dict[Trigger, frozenset[str]]] = {
    "state": frozenset({"pillow", "state", "previous", "at", "rule"}),
    "offline": frozenset({"pillow", "state", "rule", "silent_for"}),
    "dead-letter": frozenset({"message", "reason", "poller", "rule"}),
    "queue": frozenset({"oldest", "reason", "rule"}),
}
"""The names that `text` may have after a $, by trigger."""

_KEYS: Final[dict[Trigger, frozenset[str]]] = {
    "state": frozenset({"pillow", "state", "for"}),
    "offline": frozenset({"pillow", "longer_than", "also_back"}),
    "dead-letter": frozenset({"reason"}),
    "queue": frozenset({"older_than", "also_back"}),
}
"""The keys that only some triggers have."""

_TRIGGER_KEYS: Final[frozenset[str]] = frozenset().union(*_KEYS.values())

DURATION_KEYS: Final[dict[Trigger, str]] = {
    "state": "for",
    "offline": "longer_than",
    "queue": "older_than",
}
"""The key of `Rule.lasts_s`, by trigger."""

_NEEDED_DURATIONS: Final = ("longer_than", "older_than")
"""Those that have no default, and are a second at least."""


class RuleTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"for_": "for"}):
    """A table [[rule]] as it is written."""

    name: str
    on: str
    to: str | list[str]
    pillow: str | list[str] | None = None
    state: str | list[str] | None = None
    for_: str | None = None
    longer_than: str | None = None
    older_than: str | None = None
    reason: str | list[str] | None = None
    at_most_every: str | None = None
    also_back: bool | None = None
    text: str | None = None


def parse_rule(written: RuleTable) -> Rule | list[str]:
    """Return the rule, or a sentence for each key that is wrong."""
    trigger = next((one for one in TRIGGERS if one == written.on), None)
    if trigger is None:
        return [f"on = {written.on!r}: use one of {', '.join(TRIGGERS)}"]
    problems: list[str] = []
    if not is_instance_name(written.name):
        problems.append("the name may have a-z, 0-9 and hyphens, at most 63")
    given = {key: value for key, value in msgspec.to_builtins(written).items() if value is not None}
    problems += [
        f'{key} has no meaning with on = "{trigger}"; remove it'
        for key in given
        if key in _TRIGGER_KEYS and key not in _KEYS[trigger]
    ]
    to = listed(written.to)
    if not to:
        problems.append("to names no destination")
    states = frozenset(listed(written.state))
    reasons = frozenset(listed(written.reason))
    if trigger == "state" and not states:
        problems.append('state is needed, like state = "hugging"')
    problems += _unknown("state", states, STATES)
    problems += _unknown("reason", reasons, [one.value for one in Reason])
    lasts_s = _duration(DURATION_KEYS.get(trigger), given, problems)
    at_most_every_s = _duration("at_most_every", given, problems)
    problems += _text_problems(written.text, trigger)
    pillows = _pillows(written, problems)
    if problems:
        return problems
    return Rule(
        written.name,
        trigger,
        tuple(dict.fromkeys(to)),
        pillows,
        states,
        reasons,
        lasts_s=lasts_s,
        at_most_every_s=at_most_every_s,
        also_back=bool(written.also_back),
        text=written.text,
    )


def _duration(key: str | None, given: Mapping[str, str], problems: list[str]) -> float:
    """Return the seconds of a key, 0 without it."""
    if key is None or key not in given:
        if key in _NEEDED_DURATIONS:
            problems.append(f'{key} is needed, like {key} = "10m"')
        return 0.0
    text, seconds = given[key], 0.0
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        problems.append(f"{key} = {text!r} {error}")
    if seconds < 1 and key in _NEEDED_DURATIONS:
        problems.append(f"{key} = {text!r} is less than a second")
    return seconds


def _pillows(written: RuleTable, problems: list[str]) -> PillowPatterns:
    names = listed(written.pillow)
    if written.pillow is None:
        return EVERY_PILLOW
    if not names:
        problems.append("pillow is empty; leave it out for every pillow")
    try:
        return parse_pillows(names)
    except ValueError as error:
        problems.append(f"pillow {error}")
        return EVERY_PILLOW


def _text_problems(text: str | None, trigger: Trigger) -> list[str]:
    if text is None:
        return []
    if len(text) > MAX_TEXT_CHARACTERS or not text.strip():
        return [f"text is empty or longer than {MAX_TEXT_CHARACTERS} characters"]
    template = string.Template(text)
    if not template.is_valid():
        return ["text has a $ without a name behind it; write $$ for a dollar"]
    known = PLACEHOLDERS[trigger]
    return [
        f"text has ${name}; use {', '.join(f'${one}' for one in sorted(known))}"
        for name in template.get_identifiers()
        if name not in known
    ]


def _unknown(key: str, given: Iterable[str], known: Collection[str]) -> list[str]:
    return [
        f"{key} {one!r} does not exist; use one of {', '.join(known)}"
        for one in sorted(given)
        if one not in known
    ]


def listed(value: str | list[str] | None) -> list[str]:
    """Return a key's value as a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def fill_in(text: str, values: dict[str, str]) -> str:
    """Return the text with the values in place of its names."""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", string.Template(text).safe_substitute(values))
