"""The painted badges: one for each state, from the drawings of today."""

import hashlib
import json
from pathlib import Path

import gateway.http
from contract.states import STATES
from gateway.http.badge_png import DRAWN_FROM, FOLDER, picture, picture_name, picture_names
from gateway.http.badge_svg import nameless_badge

BADGES = Path(gateway.http.__file__).parent / FOLDER


def test_each_picture_is_painted_from_the_drawing_of_today() -> None:
    """Else: PYTHONPATH=. .venv/bin/python services/gateway/draw_icons.py --badges."""
    now = {
        picture_name(state, is_live=is_live): hashlib.sha256(
            nameless_badge(state, is_live=is_live).encode()
        ).hexdigest()
        for state in (*STATES, None)
        for is_live in (True, False)
    }

    assert json.loads((BADGES / DRAWN_FROM).read_text(encoding="utf-8")) == now
    assert {one.name for one in BADGES.iterdir()} == {*picture_names(), DRAWN_FROM}


def test_all_pictures_have_one_size_and_are_small() -> None:
    """A site that shows one cannot tell the state by its size."""
    for state in (*STATES, None):
        for is_live in (True, False):
            body, etag = picture(state, is_live=is_live)
            assert body.startswith(b"\x89PNG\r\n")
            size = [int.from_bytes(body[start : start + 4], "big") for start in (16, 20)]
            assert size == [352, 384]
            assert len(body) < 12_000
            assert etag.startswith('"')
