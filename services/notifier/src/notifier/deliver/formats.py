"""Bodies: an event as what its destination reads. Pure.

Each body is bounded, because each part of an event is: see MAX_BODY_BYTES.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from notifier.detect.event import CONTENT_TYPE, Event, encode_cloud_event
from notifier.rules.schema import BodyFormat

MAX_BODY_BYTES: Final = 16_384
"""Less than any of these services takes (Slack and Teams: 28 KB and more), and than the 20 KB that
Standard Webhooks recommends."""

MAX_NTFY_BYTES: Final = 4_096
"""Above it ntfy makes an attachment of the text."""

_URGENT: Final = ("pillow.offline", "message.dead-lettered", "queue.old")
_MARKDOWN: Final = str.maketrans({character: f"\\{character}" for character in r"\`*_[]()#~>|"})


class Body(NamedTuple):
    """A body, and the headers that belong to it."""

    content: bytes
    headers: dict[str, str]


def encode_body(event: Event, body_format: BodyFormat) -> Body:
    """Return the body for a destination."""
    body = _ENCODERS[body_format](event)
    assert len(body.content) <= MAX_BODY_BYTES, f"{event.id}: {len(body.content)} bytes"
    return body


def _cloudevents(event: Event) -> Body:
    return Body(encode_cloud_event(event), {"Content-Type": CONTENT_TYPE})


def _ntfy(event: Event) -> Body:
    """Return a message to a topic's URL: https://docs.ntfy.sh/publish/."""
    is_urgent = event.type.partition(".")[2] in _URGENT
    text = event.text.encode()[:MAX_NTFY_BYTES].decode(errors="ignore").encode()
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Title": event.title,
        "Tags": "warning" if is_urgent else "cloud",
        "Priority": "high" if is_urgent else "default",
    }
    return Body(text, headers)


def _slack(event: Event) -> Body:
    """Return a message to an incoming webhook: https://docs.slack.dev/messaging/."""
    # Only these three have a meaning of their own there.
    text = event.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _json({"text": f"*{event.title}*\n{text}"})


def _teams(event: Event) -> Body:
    """Return an Adaptive Card for the Teams trigger of Power Automate's Workflows."""
    facts = [
        {"title": name, "value": str(value).translate(_MARKDOWN)}
        for name, value in event.data.items()
        if isinstance(value, str | int | float) and name not in ("excerpt", "detail", "rule")
    ]
    content: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": event.title, "weight": "bolder", "size": "medium"},
            {"type": "TextBlock", "text": event.text.translate(_MARKDOWN), "wrap": True},
            {"type": "FactSet", "facts": [*facts, {"title": "time", "value": event.time}]},
        ],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": content,
    }
    return _json({"type": "message", "attachments": [attachment]})


def _json(document: object) -> Body:
    return Body(msgspec.json.encode(document), {"Content-Type": "application/json"})


_ENCODERS: Final[dict[BodyFormat, Callable[[Event], Body]]] = {
    "cloudevents": _cloudevents,
    "ntfy": _ntfy,
    "slack": _slack,
    "teams": _teams,
}
