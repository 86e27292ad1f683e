"""The picture of a badge: a cloud and its caption as SVG that any program can draw. Pure.

The drawings in badges.json are made from the page's poses by services/gateway/draw_badges.mjs.
All badges have the same size, so that a site which shows one cannot tell the state by it.
"""

from importlib.resources import files
from typing import Final, Literal
from xml.sax.saxutils import escape, quoteattr

import msgspec

from contract.states import NOT_CONNECTED, STATES

MAX_SHOWN_CHARS: Final = 21
"""How much of a name the caption has; the middle is left out, because names differ at their end."""

NAME_WIDTH: Final = 218.0
MAX_NAME_SIZE: Final = 21.0

FAINT: Final = 0.55
"""Opacity of a cloud that is not live."""

_NARROW: Final = frozenset("fijlrt1-.:'|")
_WIDE: Final = frozenset("mw")

_FONT: Final = "system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif"


class Drawing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pose: its SVG elements, the colour of its outline, and its text alternative."""

    drawing: str
    edge: str
    text: str


class ShownState(msgspec.Struct, frozen=True):
    """What a badge needs of a state that clients see.

    A pillow that speaks MQTT itself may put anything into `since` and `last`.
    """

    state: str
    at: str
    since: object = None
    last: object = None


DRAWINGS: Final[dict[str, Drawing]] = msgspec.json.decode(
    files("gateway.http").joinpath("badges.json").read_bytes(), type=dict[str, Drawing]
)
"""Every state's drawing."""

_decoder: Final = msgspec.json.Decoder(ShownState)


def badge(
    pillow: str, payload: bytes | None, *, broker: Literal["online", "offline"], name: str = ""
) -> bytes:
    """Return the badge of a pillow; `payload` is what clients see of it, None if it is not known.

    `name` is what people call it, "" for nothing: then it is called by its id. With a broker that
    is offline the badge says that it is not live.
    """
    is_live = broker == "online"
    if payload is None:
        pose, label = NOT_CONNECTED, "Not known"
        sentences = ["No pillow of this name is known."]
    else:
        shown = _decoder.decode(payload)
        pose, label = shown.state, STATES[shown.state].label
        sentences = [DRAWINGS[pose].text, *_heard(shown)]
    if not is_live:
        label += " · not live"
        sentences.append("Not live: the gateway receives no states, and this one may have ended.")
    if name:
        sentences.append(f"The pillow is {_printable(pillow)}.")
    shown_name = _printable(name or pillow)
    return _svg(shown_name, label, sentences, DRAWINGS[pose], is_live=is_live).encode()


def nameless_badge(state: str | None, *, is_live: bool) -> str:
    """Return the badge of any pillow in a state, None for one that is not known, without its name.

    There are so few of these that they can be painted before a release.
    """
    pose, label = state or NOT_CONNECTED, STATES[state].label if state else "Not known"
    sentences = [DRAWINGS[pose].text] if state else ["No pillow of this name is known."]
    return _svg(label, "" if is_live else "not live", sentences, DRAWINGS[pose], is_live=is_live)


def state_of(payload: bytes) -> str:
    """Return the state that clients see."""
    return _decoder.decode(payload).state


def _heard(shown: ShownState) -> list[str]:
    """Return when a pillow that is not connected was last heard."""
    if shown.state != NOT_CONNECTED:
        return []
    if not isinstance(shown.since, str):
        return [f"It reported so at {_minute(shown.at)}."]  # the pillow itself
    style = STATES.get(shown.last) if isinstance(shown.last, str) else None
    last = "" if style is None else f" ({style.label})"
    return [f"Last heard{last}: {_minute(shown.at)}. Silent since {_minute(shown.since)}."]


def _minute(at: str) -> str:
    """Return a date-time without what people do not ask for, if it is one in UTC."""
    text = _printable(at)[:40]
    return f"{text[:10]} {text[11:16]} UTC" if text.endswith("Z") else text


def _svg(name: str, label: str, sentences: list[str], pose: Drawing, *, is_live: bool) -> str:
    caption, opacity = shortened(name), "" if is_live else f' opacity="{FAINT}"'
    title = f"{name[:80]}: {label}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="176" height="192" '
        'viewBox="-12 -6 264 288" role="img" aria-label=' + quoteattr(title) + ">"
        f"<title>{escape(title)}</title><desc>{escape(' '.join(sentences))}</desc>"
        f"<g{opacity}>{pose.drawing}</g>"
        '<rect x="-2" y="214" width="244" height="62" rx="18" fill="#ffffff" '
        f'stroke="{pose.edge}" stroke-width="2.5"/>'
        f'<g fill="#33405f" text-anchor="middle" font-family="{_FONT}">'
        f'<text x="120" y="241" font-size="{name_size(caption):.1f}" font-weight="700">'
        f"{escape(caption)}</text>"
        f'<text x="120" y="265" font-size="18">{escape(label)}</text></g></svg>\n'
    )


def shortened(name: str) -> str:
    """Return a name of at most MAX_SHOWN_CHARS characters, without its middle if it is longer."""
    if len(name) <= MAX_SHOWN_CHARS:
        return name
    tail = (MAX_SHOWN_CHARS - 1) // 2
    return f"{name[: MAX_SHOWN_CHARS - 1 - tail]}…{name[-tail:]}"


def name_size(name: str) -> float:
    """Return the size of letters with which a bold name is not wider than the caption.

    The font is the reader's, so widths are estimates; those of letters of unknown scripts are full.
    """
    width = sum(
        0.4 if one in _NARROW else 1.05 if one in _WIDE else 0.68 if one.isascii() else 1.0
        for one in name
    )
    return min(MAX_NAME_SIZE, NAME_WIDTH / max(width, 1.0))


def _printable(text: str) -> str:
    """Return a text without characters that XML forbids, or that change the order of others."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
