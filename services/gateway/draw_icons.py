"""Draws the page's icons, the picture that other sites show of it, and badges as PNG.

    PYTHONPATH=. .venv/bin/python services/gateway/draw_icons.py

Chromium paints favicon.svg and poses of http/badges.json; the results, in static/ and http/badges/,
are in the repository, because a gateway needs no browser.

    PYTHONPATH=. .venv/bin/python services/gateway/draw_icons.py --badges     those alone
"""

import asyncio
import hashlib
import io
import struct
import sys
from pathlib import Path
from typing import Final

import msgspec
from PIL import Image
from playwright.async_api import Browser, async_playwright

from contract.states import STATES
from devstack.chromium import FLAGS
from gateway.http.badge_png import DRAWN_FROM, FOLDER, picture_name
from gateway.http.badge_svg import nameless_badge
from tests.machine import need_chromium

GATEWAY: Final = Path(__file__).parent / "src" / "gateway"
STATIC: Final = GATEWAY / "static"

BADGES: Final = GATEWAY / "http" / FOLDER
BADGE_SIZE: Final = (352, 384)
"""Twice the size at which a badge is shown, for fine screens."""

SKY: Final = "linear-gradient(#a9d3f7,#d3e9fb 52%,#fbeef0 92%,#fdf1e4)"
ICO_SIZES: Final = (16, 32, 48)

_ICON_PAGE: Final = """<!doctype html><style>
body {{ margin: 0; display: grid; place-items: center; height: {size}px;
  background: {background}; }}
svg {{ width: {fill}%; overflow: visible; }}
</style>{svg}"""

_BADGE_PAGE: Final = """<!doctype html><style>
html,body {{ margin: 0; }} svg {{ width: {width}px; height: {height}px; display: block; }}
</style>{svg}"""

_SHARED_PAGE: Final = """<!doctype html><style>
html,body {{ margin: 0; }}
body {{ position: relative; width: 1200px; height: 630px; overflow: hidden; background: {sky};
  font-family: Nunito, "DejaVu Sans", sans-serif; text-align: center; color: #1f2a47; }}
svg {{ position: absolute; }}
h1,p {{ position: absolute; left: 0; right: 0; bottom: 104px; margin: 0; }}
h1 {{ font-size: 84px; line-height: 1; }}
p {{ bottom: 46px; font-size: 33px; color: #4a587a; }}
</style>{clouds}<h1>Pillowcast</h1><p>Huggable cloud pillows, live</p>"""

_CLOUDS: Final = (("spinning", 95, 105, 300), ("hugging", 395, 26, 410), ("neutral", 805, 105, 300))
"""Pose, left, top and width of each cloud of the shared picture."""


def icon_page(size: int, background: str, fill: int) -> str:
    """Return a page that is an icon; the drawing takes `fill` percent of its width."""
    return _ICON_PAGE.format(
        size=size,
        background=background,
        fill=fill,
        svg=(STATIC / "favicon.svg").read_text(encoding="utf-8"),
    )


def shared_page() -> str:
    """Return the page that is the picture for other sites."""
    poses = msgspec.json.decode((GATEWAY / "http" / "badges.json").read_bytes())
    clouds = "".join(
        f'<svg viewBox="-10 0 260 210" width="{width}" style="left:{left}px;top:{top}px">'
        f"{poses[pose]['drawing']}</svg>"
        for pose, left, top, width in _CLOUDS
    )
    return _SHARED_PAGE.format(sky=SKY, clouds=clouds)


async def paint(browser: Browser, html: str, width: int, height: int) -> bytes:
    """Return a page as a PNG, without transparency where it has none."""
    page = await browser.new_page(viewport={"width": width, "height": height})
    await page.set_content(html)
    shot = await page.screenshot(omit_background=True)
    await page.close()
    picture = Image.open(io.BytesIO(shot)).convert("RGBA")
    if picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert("RGB")
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()


def icon_file(pictures: dict[int, bytes]) -> bytes:
    """Return PNG files by their size as one icon file, which browsers ask for by its old name."""
    offset = 6 + 16 * len(pictures)
    head, body = struct.pack("<HHH", 0, 1, len(pictures)), b""
    for size, png in pictures.items():
        head += struct.pack("<BBBBHHII", size, size, 0, 0, 1, 32, len(png), offset + len(body))
        body += png
    return head + body


async def paint_badges(browser: Browser) -> dict[str, bytes]:
    """Return the badges of all states by their file, and what each was painted from."""
    drawn_from, pictures = {}, {}
    for state in (*STATES, None):
        for is_live in (True, False):
            name = picture_name(state, is_live=is_live)
            svg = nameless_badge(state, is_live=is_live)
            drawn_from[name] = hashlib.sha256(svg.encode()).hexdigest()
            page = _BADGE_PAGE.format(svg=svg, width=BADGE_SIZE[0], height=BADGE_SIZE[1])
            png = await paint(browser, page, *BADGE_SIZE)
            # Few colours are enough for flat drawings, and take a third.
            small = Image.open(io.BytesIO(png)).quantize(128, Image.Quantize.FASTOCTREE)
            written = io.BytesIO()
            small.save(written, "PNG", optimize=True)
            pictures[name] = written.getvalue()
    pictures[DRAWN_FROM] = msgspec.json.format(msgspec.json.encode(drawn_from), indent=1) + b"\n"
    return pictures


async def main() -> None:
    """Write every picture."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=need_chromium(), args=FLAGS)

        async def icon(size: int, background: str = "transparent", fill: int = 98) -> bytes:
            return await paint(browser, icon_page(size, background, fill), size, size)

        pictures = {
            "favicon.ico": icon_file({size: await icon(size) for size in ICO_SIZES}),
            "apple-touch-icon.png": await icon(180, SKY, 82),
            "icons/icon-192.png": await icon(192),
            "icons/icon-512.png": await icon(512),
            # A launcher cuts it to its own shape.
            "icons/maskable-512.png": await icon(512, SKY, 64),
            "icons/shared.png": await paint(browser, shared_page(), 1200, 630),
        }
        badges = await paint_badges(browser)
        if "--badges" in sys.argv:
            pictures = {}
        await browser.close()
    for name, content in badges.items():
        (BADGES / name).parent.mkdir(exist_ok=True)
        (BADGES / name).write_bytes(content)
        sys.stdout.write(f"{name}: {len(content)} bytes\n")
    for name, content in pictures.items():
        (STATIC / name).parent.mkdir(exist_ok=True)
        (STATIC / name).write_bytes(content)
        sys.stdout.write(f"{name}: {len(content)} bytes\n")


if __name__ == "__main__":
    asyncio.run(main())
