"""Events: what a rule has found, and the CloudEvent that tells it. Pure."""

import hashlib
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec

from contract.timestamps import format_timestamp
from notifier.rules.rule_table import fill_in
from notifier.rules.schema import Rule

TYPE_PREFIX: Final = "pillowcast"
MAX_TEXT_CHARACTERS: Final = 1_000
CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"


class Event(msgspec.Struct, frozen=True):
    """One event of one rule. `title` and `text` are for people."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    rule: str
    title: str
    text: str
    data: dict[str, Any]


class Found(NamedTuple):
    """What a rule has found.

    `kind` is the end of the event's type. `identity` is what distinguishes it from every other
    event of its rule, so that it has the same id whoever finds it. `group` is what `at_most_every`
    is counted for. `replacements` are the names that a rule's text may have.
    """

    rule: Rule
    kind: str
    subject: str
    identity: tuple[object, ...]
    time_us: int
    text: str
    data: dict[str, Any]
    group: str = ""
    replacements: dict[str, str] = {}  # noqa: RUF012 - never changed


def make_event(found: Found, source: str, suppressed: int) -> Event:
    """Return the event; `suppressed` is how many came before it since the rule's last event."""
    rule = found.rule
    digest = hashlib.sha256(
        msgspec.json.encode([source, rule.name, found.kind, found.subject, *found.identity])
    ).hexdigest()
    text = found.text
    if rule.text is not None and found.kind not in BACK_KINDS:
        text = fill_in(rule.text, {"rule": rule.name, **found.replacements})
    data = {**found.data, "rule": rule.name}
    if suppressed:
        data["suppressed"] = suppressed
    return Event(
        f"evt_{digest[:32]}",
        source,
        f"{TYPE_PREFIX}.{found.kind}",
        found.subject,
        _time(found.time_us),
        rule.name,
        f"Pillowcast: {rule.name}",
        text[:MAX_TEXT_CHARACTERS],
        data,
    )


BACK_KINDS: Final = frozenset({"pillow.back", "queue.recovered"})
"""The kinds that say that something is over; a rule's text is for what began."""


def encode_cloud_event(event: Event) -> bytes:
    """Return the event as JSON (CloudEvents 1.0, structured mode)."""
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "subject": event.subject,
            "time": event.time,
            "datacontenttype": "application/json",
            "data": {**event.data, "text": event.text},
        }
    )


def event_source(prefix: str) -> str:
    """Return the source of all events of a deployment: its topic prefix as a URI reference."""
    return f"/pillowcast/{quote(prefix)}"


def format_seconds(seconds: float) -> str:
    """Return a duration for people, in its largest whole unit: 45 s, 10 min, 3 h, 2 d."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"


def _time(microseconds: int) -> str:
    try:
        return format_timestamp(microseconds)
    except (OverflowError, ValueError):
        return "1970-01-01T00:00:00.000Z"
