"""What Chromium does with the security headers: injected markup, frames, and other sites."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, expect

from devstack.broker import Broker
from tests.e2e.sites import wait_connected, web_site
from tests.gateway import Gateway
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

INJECTIONS = {
    "markup": "document.body.innerHTML = '<img src=x onerror=ran()>'",
    "a script's text": "document.createElement('script').text = 'ran()'",
    "a script's address": "document.createElement('script').src = 'https://elsewhere.example/'",
    "a frame's document": "document.createElement('iframe').srcdoc = '<script>ran()</script>'",
    "a handler": "document.body.setAttribute('onclick', 'ran()')",
    "a policy that lets all pass": "trustedTypes.createPolicy('default', {createHTML: (s) => s})",
}

FETCH = """async (url) => {
    try { return (await fetch(url)).status; } catch (error) { return error.name; } }"""
LOAD = """(url) => new Promise((resolve) => {
    const picture = new Image();
    picture.onload = () => resolve("loaded");
    picture.onerror = () => resolve("refused");
    picture.src = url; })"""


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """A gateway with the default settings."""
    async with Gateway(broker, f"t{uuid4().hex[:12]}") as started:
        yield started


async def open_page(page: Page, gateway: Gateway) -> None:
    await page.goto(f"{gateway.url}/")
    await wait_connected(page)


@pytest.mark.parametrize("injection", INJECTIONS)
async def test_the_page_takes_no_text_for_markup_or_script(
    gateway: Gateway, page: Page, injection: str
) -> None:
    """Trusted Types, without a policy: not even the page's own script can."""
    await open_page(page, gateway)

    thrown = await page.evaluate(
        f"() => {{ try {{ {INJECTIONS[injection]}; return 'nothing'; }}"
        " catch (error) { return error.name; } }"
    )

    assert thrown == "TypeError"


async def test_an_inline_script_does_not_run(gateway: Gateway, page: Page) -> None:
    """The policy has the hashes of the page's own texts."""
    await open_page(page, gateway)

    ran = await page.evaluate(
        """async () => {
            const script = document.createElement("script");
            script.append("window.hasRun = true");
            document.body.append(script);
            return window.hasRun ?? false; }"""
    )

    assert ran is False


@pytest.mark.parametrize("allowed", [False, True])
async def test_another_site_shows_the_page_in_a_frame_only_if_the_setting_has_it(
    broker: Broker, page: Page, tmp_path: Path, allowed: bool
) -> None:
    """GATEWAY_FRAME_ANCESTORS."""
    with web_site(tmp_path) as origin:
        ancestors = origin if allowed else "https://elsewhere.example"
        async with Gateway(
            broker, f"t{uuid4().hex[:12]}", GATEWAY_FRAME_ANCESTORS=ancestors
        ) as gateway:
            (tmp_path / "index.html").write_text(f'<iframe src="{gateway.url}/"></iframe>')
            await page.goto(origin)
            frame = page.frame_locator("iframe").locator("body")
            if allowed:
                await expect(frame).to_have_attribute("data-connection", "live", timeout=40_000)
            else:
                await expect(frame).to_be_attached()
                # Until then it may be the empty document that every frame begins with.
                await until(
                    lambda: page.frames[1].url.startswith("chrome-error:"), "the error of a frame"
                )


@pytest.mark.parametrize("allowed", [False, True])
async def test_another_site_reads_states_only_if_it_is_allowed(
    broker: Broker, browser: Browser, tmp_path: Path, allowed: bool
) -> None:
    """By fetch; it can load nothing but the modules without CORS either."""
    page = await browser.new_page()
    with web_site(tmp_path) as origin:
        (tmp_path / "index.html").write_text("<p>elsewhere</p>")
        origins = origin if allowed else ""
        async with Gateway(
            broker, f"t{uuid4().hex[:12]}", GATEWAY_ALLOWED_ORIGINS=origins
        ) as gateway:
            await page.goto(origin)
            read = await page.evaluate(FETCH, f"{gateway.url}/api/pillows")
            loaded = await page.evaluate(LOAD, f"{gateway.url}/favicon.svg")
            module = await page.evaluate(FETCH, f"{gateway.url}/embed.js")
    await page.close()

    assert read == (200 if allowed else "TypeError")
    assert loaded == "refused"
    assert module == 200
