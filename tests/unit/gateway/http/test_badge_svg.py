"""The picture of a badge: well-formed and plain, whatever the names; all states have a drawing."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.states import STATES
from devstack.node import find_node
from devstack.processes import ROOT
from gateway.http.badge_svg import (
    DRAWINGS,
    MAX_SHOWN_CHARS,
    NAME_WIDTH,
    badge,
    name_size,
    shortened,
)

SVG = "{http://www.w3.org/2000/svg}"
AT = "2026-11-29T03:04:05.678Z"


def state(name: str, **fields: object) -> bytes:
    return msgspec.json.encode({"pillow": "cloud-1", "state": name, "at": AT, **fields})


def texts(picture: bytes) -> Iterator[str]:
    return (one.text or "" for one in fromstring(picture).iter(f"{SVG}text"))


def child(picture: bytes, name: str) -> str:
    found = fromstring(picture).find(SVG + name)
    assert found is not None
    return found.text or ""


def test_the_drawings_are_those_of_the_page() -> None:
    """Whoever changes a pose or a colour draws the badges again."""
    command: list[str | Path] = [find_node(), ROOT / "services/gateway/draw_badges.mjs", "--check"]

    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr


def test_every_state_has_a_drawing() -> None:
    """And no other has one."""
    assert DRAWINGS.keys() == STATES.keys()


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("broker", ["online", "offline"])
def test_a_badge_needs_nothing_but_itself(name: str, broker: str) -> None:
    """Simple programs draw it: no style, script, class, animation or reference to elsewhere."""
    picture = badge("cloud-1", state(name), broker="online" if broker == "online" else "offline")
    elements: list[Element] = list(fromstring(picture).iter())

    assert len(picture) < 8_000
    assert {one.tag.removeprefix(SVG) for one in elements} <= {
        "svg", "title", "desc", "defs", "linearGradient", "stop",
        "g", "path", "circle", "ellipse", "rect", "text",
    }  # fmt: skip
    for element in elements:
        assert not {"class", "style", "href", "data-pose"} & element.attrib.keys()
        for value in element.attrib.values():
            assert "var(" not in value
            assert "color-mix" not in value
            assert value.startswith("url(#tone-") or "url" not in value
    ids = [one.attrib["id"] for one in elements if "id" in one.attrib]
    assert ids == [f"tone-{name}"]
    assert b'"url(#tone-%b)"' % name.encode() in picture


@given(st.text(max_size=200), st.sampled_from([None, state("hugging")]))
def test_a_badge_is_well_formed_whatever_the_name(name: str, payload: bytes | None) -> None:
    """A name in a path may be anything; what reads it may be simple."""
    picture = badge(name, payload, broker="online")
    root = fromstring(picture)

    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == child(picture, "title")
    assert len(picture) < 8_000
    assert len(next(texts(picture))) <= MAX_SHOWN_CHARS


@given(st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text())), st.text())
def test_fields_of_a_pillow_that_speaks_mqtt_may_be_anything(odd: object, at: str) -> None:
    """They are neither markup nor an error."""
    payload = state("notconnected", last=odd, since=odd)
    fromstring(badge("cloud-1", payload, broker="offline"))
    reported = msgspec.json.encode(
        {"state": "notconnected", "at": at.encode(errors="ignore").decode()}
    )
    fromstring(badge("cloud-1", reported, broker="online"))


@pytest.mark.parametrize("name", STATES)
def test_the_caption_has_name_and_state(name: str) -> None:
    """As on the page; the title has them for screen readers."""
    picture = badge("cloud-1", state(name), broker="online")

    assert list(texts(picture)) == ["cloud-1", STATES[name].label]
    assert child(picture, "title") == f"cloud-1: {STATES[name].label}"


def test_without_the_broker_it_says_so() -> None:
    """In the caption and by a faint cloud."""
    picture = badge("cloud-1", state("hugging"), broker="offline")

    assert list(texts(picture)) == ["cloud-1", "Hugging · not live"]
    assert "may have ended" in child(picture, "desc")
    assert b'<g opacity="0.55">' in picture
    assert list(texts(badge("x", None, broker="offline"))) == ["x", "Not known · not live"]


def test_a_silent_pillow_says_when_it_was_last_heard() -> None:
    """One that reported `notconnected` by itself says when it did."""
    silent = state("notconnected", last="hugging", since="2026-11-29T03:05:35.000Z")

    assert (
        "Last heard (Hugging): 2026-11-29 03:04 UTC. Silent since 2026-11-29 03:05 UTC."
        in child(badge("cloud-1", silent, broker="online"), "desc")
    )
    own = child(badge("cloud-1", state("notconnected"), broker="online"), "desc")
    assert own.endswith("It reported so at 2026-11-29 03:04 UTC.")


def test_the_caption_has_the_name_that_people_gave() -> None:
    """The id is in the description."""
    picture = badge("cloud-1", state("hugging"), broker="online", name="Küche & Bad")

    assert list(texts(picture)) == ["Küche & Bad", "Hugging"]
    assert child(picture, "title") == "Küche & Bad: Hugging"
    assert child(picture, "desc").endswith("The pillow is cloud-1.")


@given(st.text(min_size=1, max_size=80))
def test_a_long_name_keeps_its_beginning_and_its_end(name: str) -> None:
    """Names differ at either, and fit the caption."""
    shown = shortened(name)

    assert len(shown) == min(len(name), MAX_SHOWN_CHARS)
    head, _, tail = shown.partition("…") if len(name) > MAX_SHOWN_CHARS else (name, "", "")
    assert name.startswith(head)
    assert name.endswith(tail)
    assert 0 < name_size(shown) * len(shown) * 0.4 <= NAME_WIDTH + 1e-6


def test_all_badges_have_one_size() -> None:
    """A site that shows one would otherwise learn the state from it."""
    payloads = [None, *(state(name) for name in STATES)]
    sizes = {
        (root.attrib["width"], root.attrib["height"], root.attrib["viewBox"])
        for payload in payloads
        for root in [fromstring(badge("cloud-1", payload, broker="online"))]
    }

    assert len(sizes) == 1
