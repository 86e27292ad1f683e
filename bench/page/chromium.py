"""Measures a page in Chromium: frames, the main thread, and loading."""

import asyncio
import contextlib
import math
import shutil
from collections.abc import AsyncIterator
from typing import Any, Final

from playwright.async_api import Browser, CDPSession, Page, async_playwright

from devstack.chromium import FLAGS

Figures = dict[str, Any]


_LONG_TASKS: Final = """
window.longTasks = [];
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((one) => one.duration)))
  .observe({type: 'longtask'});
"""
_FRAMES: Final = """(ms) => new Promise((done) => {
  const at = [], begin = performance.now();
  const frame = (now) => {
    at.push(now);
    if (now - begin < ms) requestAnimationFrame(frame);
    else done(at.slice(1).map((one, index) => one - at[index]));
  };
  requestAnimationFrame(frame);
})"""
_SCROLLING: Final = (
    "() => { const down = () => { scrollBy(0, 12); setTimeout(down, 16); }; down(); }"
)
_REPORT_FIRST_CLOUD: Final = """
new PerformanceObserver((list) => console.debug(`shown ${list.getEntries()[0].renderTime}`))
  .observe({type: 'element'});
new MutationObserver((_, observer) => {
  const name = document.querySelector('.card:has(.drawing) h2');
  if (name === null) return;
  observer.disconnect();
  name.setAttribute('elementtiming', 'first');
}).observe(document, {subtree: true, childList: true});
"""
"""Logs the browser's render time of the first card with a cloud."""

SLOW_PHONE: Final = {"latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
"""Round trip of 150 ms, 1.6 Mbit/s down, 0.75 Mbit/s up."""
_CPU_SLOWDOWN: Final = 4
_SETTLED_S: Final = 2.5


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start the system's Chromium, or the one that playwright installed."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


async def frames(page: Page, *, seconds: float, scroll: bool = False) -> Figures:
    """Measure a loaded page: first its main thread without a script of ours, then its frames."""
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")
    await page.evaluate(_LONG_TASKS)
    before = await _metrics(session)
    await asyncio.sleep(seconds)
    after = await _metrics(session)
    if scroll:
        await page.evaluate(_SCROLLING)
    between = sorted(await page.evaluate(_FRAMES, seconds * 1000))
    return {
        "fps": len(between) / sum(between) * 1000,
        "p95_ms": between[math.ceil(len(between) * 0.95) - 1],
        "worst_ms": between[-1],
        "main_ms": (after["TaskDuration"] - before["TaskDuration"]) / seconds * 1000 / 60,
        "styles": (after["RecalcStyleCount"] - before["RecalcStyleCount"]) / seconds,
        "long_tasks": len(await page.evaluate("longTasks")),
    }


async def settled(page: Page, address: str) -> None:
    """Open a page and wait until it is live and has settled."""
    await page.goto(address)
    await page.wait_for_selector("body[data-connection=live]", state="attached")
    await asyncio.sleep(_SETTLED_S)


async def _metrics(session: CDPSession) -> dict[str, float]:
    response = await session.send("Performance.getMetrics")
    return {one["name"]: one["value"] for one in response["metrics"]}


async def load(browser: Browser, address: str) -> Figures:
    """Measure a first visit on a slow phone."""
    context = await browser.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=2
    )
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    bytes_each: list[float] = []
    session.on("Network.loadingFinished", lambda one: bytes_each.append(one["encodedDataLength"]))
    await session.send("Network.enable")
    await session.send("Network.emulateNetworkConditions", {"offline": False, **SLOW_PHONE})
    await session.send("Emulation.setCPUThrottlingRate", {"rate": _CPU_SLOWDOWN})
    await page.add_init_script(_REPORT_FIRST_CLOUD)
    # By a console message, because a script evaluated meanwhile would be measured as well.
    async with page.expect_console_message(lambda one: one.text.startswith("shown ")) as message:
        await page.goto(address, wait_until="commit")
    shown = (await message.value).text
    first_paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    figures = {
        "paint_ms": await page.evaluate(first_paint),
        "cloud_ms": float(shown.removeprefix("shown ")),
        "requests": sum(1 for one in bytes_each if one > 0),
        "kib": sum(bytes_each) / 1024,
    }
    await context.close()
    return figures
