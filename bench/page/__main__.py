"""scripts/bench page: frame rate and loading time of the page, in Chromium without a GPU.

Frames are counted with `requestAnimationFrame`. The main thread's time is that of one second
divided by 60, measured before frames are counted. The limit is a page with boxes of the clouds'
size that the browser animates without a script. The slow phone has a round trip of 150 ms,
1.6 Mbit/s, and a fourth of this machine's speed.
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
from bench.page.fixture import run_fixture
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
"""Number of pillows, changes a second, and whether the page is scrolled."""
VISITED: Final = (7, 100)
"""Numbers of pillows at a first visit; their states do not change."""


def main() -> None:
    """Measure, print tables, write JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench page", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="about a minute: two seconds of each scene"
    )
    parser.add_argument(
        "--only",
        choices=("frames", "phone"),
        help="measure only the frames, or only the slow phone",
    )
    parser.add_argument("--output", type=Path, default=ROOT / ".bench" / "page.json")
    arguments = parser.parse_args()
    figures = asyncio.run(
        _run(2.0 if arguments.quick else 6.0, 2 if arguments.quick else 5, arguments.only)
    )
    write(arguments.output, figures)
    print(f"written to {arguments.output}")


async def _run(seconds: float, rounds: int, only: str | None) -> Figures:
    figures: Figures = {"seconds": seconds, "rounds": rounds}
    async with Broker(kind="mosquitto", topic_prefix="+") as broker, chromium() as browser:
        if only != "phone":
            figures["frames"] = await _measure_frames(broker, browser, seconds)
        if only != "frames":
            figures["loading"] = await _measure_loading(broker, browser, rounds)
    return figures


async def _measure_frames(broker: Broker, browser: Browser, seconds: float) -> Figures:
    scenes: dict[str, Figures] = {}
    page = await browser.new_page(viewport=_SIZE)
    await settled(page, _PLAIN.as_uri())
    boxes = "document.body.innerHTML = '<i></i>'.repeat(28)"
    await page.evaluate(boxes)
    scenes["the limit: 28 boxes"] = await frames(page, seconds=seconds)
    await page.close()
    for name, (count, rate, scroll) in SCENES.items():
        async with run_fixture(broker, count) as fixture, fixture.changing(count, rate):
            page = await browser.new_page(viewport=_SIZE)
            await settled(page, fixture.url)
            scenes[name] = await frames(page, seconds=seconds, scroll=scroll)
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
        scenes,
    )
    return scenes


async def _measure_loading(broker: Broker, browser: Browser, rounds: int) -> Figures:
    visits_by_count: dict[str, Figures] = {}
    for count in VISITED:
        async with run_fixture(broker, count) as fixture:
            visits = [await load(browser, fixture.url) for _ in range(rounds)]
        visits_by_count[f"{count} clouds"] = _median(visits)
    show_each(
        f"The first visit on a slow phone, median of {rounds}",
        (
            ("first paint ms", "paint_ms", "{:.0f}"),
            ("first cloud ms", "cloud_ms", "{:.0f}"),
            ("requests", "requests", "{:.0f}"),
            ("KiB", "kib", "{:.1f}"),
        ),
        visits_by_count,
    )
    return visits_by_count


def _median(rounds: Sequence[Figures]) -> Figures:
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}


if __name__ == "__main__":
    main()
