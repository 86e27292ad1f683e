"""scripts/bench page: frames and loading of the page, in Chromium without a graphics card.

Frames are counted as a page sees them; the main thread's time is that of a second divided by 60,
taken while nobody asks for frames. The limit is a page of plain boxes as large as the clouds, moved
by the browser alone. A slow phone is 150 ms from the gateway, has 1.6 Mbit/s and a fourth of this
machine's speed.
"""

import argparse
import asyncio
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, ViewportSize

from bench.figures import show_each, write
from bench.page.chromium import chromium, frames, load, settled
from bench.page.sky import sky_of
from devstack.broker import Broker
from devstack.processes import ROOT

Figures = dict[str, Any]

_PLAIN: Final = Path(__file__).parent / "plain.html"
_SIZE: Final = ViewportSize(width=1280, height=800)

SCENES: Final = {
    "7 clouds": (7, 3.5, False),
    "24 clouds": (24, 12.0, False),
    "100 clouds": (100, 50.0, False),
    "a wall of 2,000": (2000, 500.0, False),
    "that wall, scrolled": (2000, 500.0, True),
}
"""How many pillows there are, how many of them change in a second, whether the page is scrolled."""
VISITED: Final = (7, 100)
"""How many pillows there are at a first visit; of these none changes."""


def main() -> None:
    """Measure, print tables, write JSON."""
    asked = argparse.ArgumentParser(prog="scripts/bench page", description=__doc__)
    asked.add_argument("--quick", action="store_true", help="a minute: two seconds of each")
    asked.add_argument("--only", choices=("frames", "phone"), help="frames, or the slow phone")
    asked.add_argument("--output", type=Path, default=ROOT / ".bench" / "page.json")
    given = asked.parse_args()
    figures = asyncio.run(_run(2.0 if given.quick else 6.0, 2 if given.quick else 5, given.only))
    write(given.output, figures)
    print(f"written to {given.output}")


async def _run(seconds: float, rounds: int, only: str | None) -> Figures:
    figures: Figures = {"seconds": seconds, "rounds": rounds}
    async with Broker(kind="mosquitto", topic_prefix="+") as broker, chromium() as browser:
        if only != "phone":
            figures["frames"] = await _moving(broker, browser, seconds)
        if only != "frames":
            figures["loading"] = await _loading(broker, browser, rounds)
    return figures


async def _moving(broker: Broker, browser: Browser, seconds: float) -> Figures:
    moving: dict[str, Figures] = {}
    page = await browser.new_page(viewport=_SIZE)
    await settled(page, _PLAIN.as_uri())
    boxes = "document.body.innerHTML = '<i></i>'.repeat(28)"
    await page.evaluate(boxes)
    moving["the limit: 28 boxes"] = await frames(page, seconds=seconds)
    await page.close()
    for name, (count, rate, scroll) in SCENES.items():
        async with sky_of(broker, count) as sky, sky.changing(count, rate):
            page = await browser.new_page(viewport=_SIZE)
            await settled(page, sky.url)
            moving[name] = await frames(page, seconds=seconds, scroll=scroll)
            await page.close()
    show_each(
        "Frames, 1280 × 800",
        (
            ("frames/s", "fps", "{:.1f}"),
            ("95 % ms", "p95_ms", "{:.1f}"),
            ("worst ms", "worst_ms", "{:.1f}"),
            ("main thread ms/frame", "main_ms", "{:.2f}"),
            ("styles/s", "styles", "{:.0f}"),
            ("long tasks", "long_tasks", "{}"),
        ),
        moving,
    )
    return moving


async def _loading(broker: Broker, browser: Browser, rounds: int) -> Figures:
    loading: dict[str, Figures] = {}
    for count in VISITED:
        async with sky_of(broker, count) as sky:
            visits = [await load(browser, sky.url) for _ in range(rounds)]
        loading[f"{count} clouds"] = _median(visits)
    show_each(
        f"The first visit on a slow phone, median of {rounds}",
        (
            ("first paint ms", "paint_ms", "{:.0f}"),
            ("first cloud ms", "cloud_ms", "{:.0f}"),
            ("requests", "requests", "{:.0f}"),
            ("KiB", "kib", "{:.1f}"),
        ),
        loading,
    )
    return loading


def _median(rounds: Sequence[Figures]) -> Figures:
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}


if __name__ == "__main__":
    main()
