"""Rules, states and events for tests."""

import json
from typing import Any

from contract.pillow_patterns import EVERY_PILLOW
from contract.timestamps import format_timestamp
from contract.updates import Update, decode_state
from notifier.detect.event import Event, Found, make_event
from notifier.detect.pillow import Moment
from notifier.rules.schema import Rule

EPOCH_US = 1_760_000_000_000_000


def rule(name: str = "hugs", on: Any = "state", **given: Any) -> Rule:
    """Return a rule on every pillow, for one destination."""
    if on == "state":
        given.setdefault("states", frozenset({"hugging"}))
    given.setdefault("pillows", EVERY_PILLOW)
    return Rule(name, on, ("house",), **given)


def update(
    state: str, number: int, *, pillow: str = "cloud-1", queued_ms: int | None = None
) -> Update:
    """Return a state; those with a larger number are newer. With `queued_ms` a poller's."""
    fields: dict[str, object] = {
        "pillow": pillow,
        "state": state,
        "at": format_timestamp(EPOCH_US + number * 1_000_000),
    }
    if queued_ms is not None:
        fields["hops"] = {"queued": queued_ms, "polled": queued_ms, "published": queued_ms}
    decoded = decode_state(pillow, json.dumps(fields).encode())
    assert isinstance(decoded, Update), decoded
    return decoded


def moment(ms: int) -> Moment:
    """Return a moment while broker and poller are there all the time."""
    return Moment(ms, ms, EPOCH_US // 1000 + ms)


def event(
    text: str = "cloud-1: Hugging", number: int = 1, kind: str = "pillow.state", **data: Any
) -> Event:
    """Return an event; those with different numbers have different ids."""
    data = {"pillow": "cloud-1", "state": "hugging", **data}
    found = Found(rule(), kind, "cloud-1", (number,), EPOCH_US, text, data)
    return make_event(found, "/pillowcast/pillow", 0)
