"""The code of docs/embedding.md in another web site: plain HTML, React and Vue, and in Node.js."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, WebSocket, expect

from devstack import ports
from devstack.broker import Broker
from devstack.node import find_node
from devstack.processes import ROOT
from tests.e2e.sites import SHOWN_MS, LiveSite, PageMonitor, live_site, site_of_page, web_site
from tests.gateway import state
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

DOCUMENT = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
HOST = "https://pillows.example"


def snippet(heading: str) -> str:
    """Return the first code block of a chapter."""
    _, _, chapter = DOCUMENT.partition(f"# {heading}\n")
    assert chapter, f"docs/embedding.md has no chapter {heading!r}"
    return chapter.split("```", 2)[1].partition("\n")[2]


@pytest.fixture(scope="module")
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """A gateway that allows every origin."""
    async for made in live_site(broker, origins="*"):
        yield made


@pytest.fixture
async def monitor(page: Page) -> AsyncIterator[PageMonitor]:
    monitor = PageMonitor(page)
    yield monitor
    monitor.assert_clean()


async def wait_shown(page: Page, name: str) -> None:
    await expect(page.locator("cloud-pillow")).to_have_attribute(
        "data-state", name, timeout=SHOWN_MS
    )


def write_page(folder: Path, body: str, site: LiveSite, *, imports: str = "") -> None:
    """Write the page of the other web site."""
    folder.joinpath("index.html").write_text(
        "<!doctype html><html lang=en><meta charset=utf-8><link rel=icon href=data:,>"
        f"<title>another site</title>{imports}<body>{body.replace(HOST, site.url)}",
        encoding="utf-8",
    )


async def test_element_is_live_styleable_and_fires_statechange(
    site: LiveSite, page: Page, monitor: PageMonitor, tmp_path: Path
) -> None:
    """With its custom properties, parts, event and properties."""
    script = """<script>window.changes = []; addEventListener("statechange", (event) =>
      changes.push([event.detail.previous, event.detail.state, event.detail.fresh]));</script>
      <style>cloud-pillow { --cloud-pillow-width: 320px; --cloud-pillow-hugging: rgb(1, 2, 3); }
      cloud-pillow::part(state) { color: rgb(4, 5, 6); }</style>"""
    with web_site(tmp_path) as origin:
        monitor.allow(origin, site.url)
        write_page(tmp_path, script + snippet("The element"), site)
        await page.goto(origin)
        # Published now, because a state of more than 15 s ago is not live.
        await wait_shown(page, "unknown")
        await site.publisher.publish(state("cloud-1", "neutral"))
        await wait_shown(page, "neutral")
        await site.publisher.publish(state("cloud-1", "hugging"))
        await wait_shown(page, "hugging")
        element = page.locator("cloud-pillow")

        assert await page.evaluate("changes") == [
            ["unknown", "neutral", "live"],
            ["neutral", "hugging", "live"],
        ]
        # During a transition a cloud has two drawings.
        shade = element.locator(".drawing:not(.leaving) .shade")
        await expect(shade).to_have_css("fill", "rgb(1, 2, 3)")
        await expect(element.locator(".state")).to_have_css("color", "rgb(4, 5, 6)")
        properties = (
            "element => [element.offsetWidth, element.state, element.fresh, element.value.pillow]"
        )
        assert await element.evaluate(properties) == [320, "hugging", "live", "cloud-1"]
        await element.evaluate("element => element.setAttribute('pillow', 'nobody')")
        await wait_shown(page, "unknown")


async def test_element_out_of_sight_has_no_animation(
    site: LiveSite, page: Page, monitor: PageMonitor, tmp_path: Path
) -> None:
    """Until it is scrolled into view."""
    await site.publisher.publish(state("far", "spinning"))
    below = f'<p style="height: 300vh">far</p><script type="module" src="{HOST}/embed.js"></script>'
    running = """element => element.shadowRoot.querySelector('svg').getAnimations({subtree: true})
        .filter(one => one.playState === 'running').length"""
    with web_site(tmp_path) as origin:
        monitor.allow(origin, site.url)
        write_page(tmp_path, f'{below}<cloud-pillow pillow="far"></cloud-pillow>', site)
        await page.goto(origin)
        await wait_shown(page, "spinning")
        element = page.locator("cloud-pillow")
        assert await element.evaluate(running) == 0
        await element.scroll_into_view_if_needed()

        await expect(element.locator(".cloud")).not_to_have_class(re.compile("offscreen"))
        # It may have become quiet since then, and a quiet cloud stands still.
        await site.publisher.publish(state("far", "spinning"))
        await expect(element).to_have_attribute("data-fresh", "live")
        assert await element.evaluate(running) > 0


async def test_element_shows_that_its_site_is_not_allowed(
    broker: Broker, page: Page, tmp_path: Path
) -> None:
    """The console names the setting GATEWAY_ALLOWED_ORIGINS."""
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    async for strict in site_of_page(broker, page):
        await strict.publisher.publish(state("cloud-1", "neutral"))
        with web_site(tmp_path) as origin:
            write_page(tmp_path, snippet("The element"), strict)
            await page.goto(origin)

            element = page.locator("cloud-pillow")
            await expect(element).to_contain_text("Not allowed on this site", timeout=SHOWN_MS)
            await expect(element).to_contain_text("No word yet")
            await until(
                lambda: any("GATEWAY_ALLOWED_ORIGINS" in one for one in messages), f"in {messages}"
            )


async def test_rules_of_the_embedding_page_do_not_reach_into_the_element(
    site: LiveSite, page: Page, monitor: PageMonitor, tmp_path: Path
) -> None:
    """Nor do inherited text properties."""
    await site.publisher.publish(state("cloud-1", "hugging"))
    hostile = """<style>
      body { text-transform: uppercase; letter-spacing: 9px; line-height: 4; text-indent: 50px;
             white-space: nowrap; }
      svg, path, g, span, figure, figcaption, div { display: none !important; fill: lime !important;
             animation: none !important; position: fixed !important; }
      .cloud, .state, .label, .picture { visibility: hidden !important; }
      @keyframes squeeze { 50% { transform: translateX(900px); } }</style>"""
    drawn = """element => {
      const box = (name) => element.shadowRoot.querySelector(name).getBoundingClientRect();
      const style = getComputedStyle(element.shadowRoot.querySelector('.state'));
      const body = getComputedStyle(element.shadowRoot.querySelector('.body'));
      return [box('svg').width > 100, box('.state').height < 40, style.textTransform,
              style.letterSpacing, body.visibility, body.fill.startsWith('url')]; }"""
    with web_site(tmp_path) as origin:
        monitor.allow(origin, site.url)
        write_page(tmp_path, hostile + snippet("The element"), site)
        await page.goto(origin)
        await wait_shown(page, "hugging")
        styles = await page.locator("cloud-pillow").evaluate(drawn)

    assert styles == [True, True, "none", "normal", "visible", True]


async def test_element_works_under_the_documented_content_security_policy(
    site: LiveSite, page: Page, monitor: PageMonitor, tmp_path: Path
) -> None:
    """The gateway in script-src and connect-src, nothing for styles, and with Trusted Types."""
    await site.publisher.publish(state("cloud-1", "shaking"))
    host = site.url.removeprefix("http://")
    policy = f"default-src 'none'; script-src {site.url}; connect-src {site.url} ws://{host}"
    policy += "; require-trusted-types-for 'script'; trusted-types 'none'"
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}; img-src data:">'
    with web_site(tmp_path) as origin:
        monitor.allow(origin, site.url)
        write_page(tmp_path, snippet("The element"), site, imports=meta)
        await page.goto(origin)
        await wait_shown(page, "shaking")
        element = page.locator("cloud-pillow")

        await expect(element.locator(".drawing:not(.leaving) .shade")).not_to_have_css(
            "fill", "rgb(0, 0, 0)"
        )
        assert await element.evaluate("element => element.offsetWidth") == 220


async def test_elements_share_one_connection_and_may_be_moved_and_changed(
    site: LiveSite, page: Page, monitor: PageMonitor, tmp_path: Path
) -> None:
    """An element that was removed, added again or changed shows the current state."""
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await site.publisher.publish_all([state("cloud-1", "hugging"), state("cloud-2", "spinning")])
    body = f"""<cloud-pillow id="a" src="{HOST}"></cloud-pillow><cloud-pillow id="b" src="{HOST}/">
      </cloud-pillow><script>a.pillow = "cloud-1"; b.pillow = "cloud-2"; b.label = "Beta";</script>
      <script type="module" src="{HOST}/embed.js"></script>"""
    with web_site(tmp_path) as origin:
        monitor.allow(origin, site.url)
        write_page(tmp_path, body, site)
        await page.goto(origin)
        first, second = page.locator("#a"), page.locator("#b")
        for element, name in ((first, "hugging"), (second, "spinning")):
            await expect(element).to_have_attribute("data-state", name, timeout=SHOWN_MS)
        await expect(second).to_contain_text("Beta")
        assert len(sockets) == 1

        await page.evaluate("window.kept = b; b.remove()")
        await site.publisher.publish(state("cloud-2", "throwing"))
        await page.evaluate("document.body.prepend(kept)")
        await expect(second).to_have_attribute("data-state", "throwing", timeout=SHOWN_MS)
        await page.evaluate("[a.pillow, a.label] = ['cloud-2', 'Alpha']")
        await expect(first).to_have_attribute("data-state", "throwing", timeout=SHOWN_MS)
        await expect(first).to_contain_text("Alpha")
        assert len(sockets) == 1

        await page.evaluate("a.pillow = 'Not One'")
        await expect(first).to_contain_text("this is no pillow's id")
        await page.evaluate("[a.pillow, a.src] = ['cloud-1', 'http://']")
        await expect(first).to_contain_text("http:// is no address")
        await page.evaluate("a.removeAttribute('src')")
        await expect(first).to_have_attribute("data-state", "hugging", timeout=SHOWN_MS)


async def test_element_before_it_is_there_beside_a_client_and_after_its_removal(
    site: LiveSite, page: Page, monitor: PageMonitor, tmp_path: Path
) -> None:
    """A slot until there is a state; one connection with a client, which gets what is left."""
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    await site.publisher.publish_all([state("cloud-1", "hugging"), state("cloud-2", "spinning")])
    body = f"""<cloud-pillow id="a" pillow="cloud-1" src="{HOST}"><i>Wait</i></cloud-pillow>
      <cloud-pillow id="b" pillow="nobody" src="{HOST}"><i>Nobody yet</i></cloud-pillow>
      <script type="module" src="{HOST}/embed.js"></script>
      <script type="module">import {{ connect }} from "{HOST}/pillowcast.js";
      await customElements.whenDefined("cloud-pillow");
      window.clouds = connect({{ pillows: ["cloud-2"] }}); await clouds.ready;
      window.known = [...clouds.pillows.keys()];</script>"""
    with web_site(tmp_path) as origin:
        monitor.allow(origin, site.url)
        write_page(tmp_path, body, site)
        await page.goto(origin)
        first = page.locator("#a")
        await expect(first).to_have_attribute("data-state", "hugging", timeout=SHOWN_MS)
        await expect(first.locator("i")).to_be_hidden()
        await expect(first.locator(".picture")).to_be_visible()
        await expect(page.locator("#b i")).to_be_visible()
        await expect(page.locator("#b .picture")).to_be_hidden()
        await page.wait_for_function("window.known")
        assert await page.evaluate("known") == ["cloud-2"]
        assert len(sockets) == 1

        moved = """() => {
          const frame = document.createElement("iframe");
          document.body.append(frame);
          window.kept = document.getElementById("a");
          frame.contentDocument.body.append(kept);
          const shade = kept.shadowRoot.querySelector(".drawing:not(.leaving) .shade");
          return [kept.offsetWidth, frame.contentWindow.getComputedStyle(shade).fill]; }"""
        width, fill = await page.evaluate(moved)
        assert width == 220
        assert fill != "rgb(0, 0, 0)"
        await expect(page.frames[1].locator("cloud-pillow")).to_have_attribute("data-fresh", "live")

        unsubscribed = '{"type":"subscribe","pillows":["cloud-2"]}'
        async with sockets[0].expect_event("framesent", lambda text: text == unsubscribed):
            await page.evaluate("kept.remove(); b.remove()")
        assert len(sockets) == 1
        async with sockets[0].expect_event("close"):
            await page.evaluate("clouds.close()")


async def test_more_elements_than_a_subscription_may_name_are_all_live(
    site: LiveSite, page: Page, monitor: PageMonitor, tmp_path: Path
) -> None:
    """1,000 pillows, and one more that is added later."""
    await site.publisher.publish_all([state("n0", "hugging"), state("n1000", "spinning")])
    elements = "".join(f'<cloud-pillow pillow="n{n}"></cloud-pillow>' for n in range(1000))
    body = f'{elements}<script type="module" src="{HOST}/embed.js"></script>'
    with web_site(tmp_path) as origin:
        monitor.allow(origin, site.url)
        write_page(tmp_path, body, site)
        await page.goto(origin)
        first = page.locator("cloud-pillow").first
        await expect(first).to_have_attribute("data-state", "hugging", timeout=SHOWN_MS)
        more = """const more = document.createElement("cloud-pillow"); more.id = "more";
            more.pillow = "n1000"; document.body.append(more);"""
        await page.evaluate(more)

        shown = page.locator("#more")
        await expect(shown).to_have_attribute("data-state", "spinning", timeout=SHOWN_MS)
        await site.publisher.publish(state("n0", "punching"))
        await expect(first).to_have_attribute("data-state", "punching", timeout=SHOWN_MS)


async def test_element_shows_that_it_is_disconnected(
    site: LiveSite, page: Page, tmp_path: Path
) -> None:
    """It shows no state of the cloud."""
    unused = f"http://127.0.0.1:{ports.free()}"
    body = f"""<script type="module" src="{HOST}/embed.js"></script>
      <cloud-pillow pillow="cloud-1" src="{unused}"></cloud-pillow>"""
    with web_site(tmp_path) as origin:
        write_page(tmp_path, body, site)
        await page.goto(origin)
        element = page.locator("cloud-pillow")

        await expect(element).to_contain_text("Disconnected", timeout=SHOWN_MS)
        await expect(element).to_contain_text("No word yet")
        await expect(element).to_have_attribute("data-fresh", "unknown")


async def test_react_component(
    site: LiveSite, page: Page, monitor: PageMonitor, tmp_path: Path
) -> None:
    """The component of the documentation."""
    await site.publisher.publish(state("cloud-1", "neutral"))
    modules = tmp_path / "modules"
    modules.mkdir()
    # React is published as CommonJS only: wrap each file as a bundler does.
    for name, path in {
        "react": "react/cjs/react.production.js",
        "react-dom": "react-dom/cjs/react-dom.production.js",
        "react-dom/client": "react-dom/cjs/react-dom-client.production.js",
        "scheduler": "scheduler/cjs/scheduler.production.js",
    }.items():
        source = (ROOT / "node_modules" / path).read_text(encoding="utf-8")
        needs = sorted(set(re.findall(r'require\("([^"]+)"\)', source)))
        lines = [f'import n{i} from "{one}";' for i, one in enumerate(needs)]
        given = ", ".join(f'"{one}": n{i}' for i, one in enumerate(needs))
        names = sorted(set(re.findall(r"^exports\.(\w+) =", source, re.MULTILINE)))
        body = [
            *lines,
            f"const given = {{{given}}}; const require = (name) => given[name];",
            "const exports = {}; const module = { exports };",
            "const process = { env: { NODE_ENV: 'production' } };",
            source,
            "export default module.exports;",
            *(f"const $ {n} = exports.{n};".replace("$ ", "$") for n in names),
            f"export {{ {', '.join(f'${n} as {n}' for n in names)} }};",
        ]
        modules.joinpath(name.replace("/", "-") + ".js").write_text("\n".join(body))
    imports = (
        '<script type="importmap">{"imports": {"react": "/modules/react.js", "react-dom": '
        '"/modules/react-dom.js", "react-dom/client": "/modules/react-dom-client.js", '
        '"scheduler": "/modules/scheduler.js"}}</script>'
    )
    tmp_path.joinpath("cloud.js").write_text(snippet("React").replace(HOST, site.url))
    mount = """<div id="root"></div><script type="module">
      import { createElement } from "react";
      import { createRoot } from "react-dom/client";
      import { Cloud } from "./cloud.js";
      createRoot(document.getElementById("root")).render(createElement(Cloud, {pillow: "cloud-1"}));
      </script>"""
    with web_site(tmp_path) as origin:
        monitor.allow(origin, site.url)
        write_page(tmp_path, mount, site, imports=imports)
        await page.goto(origin)
        await wait_shown(page, "neutral")
        await site.publisher.publish(state("cloud-1", "throwing"))
        await wait_shown(page, "throwing")

        await expect(page.locator("figure > p")).to_have_text("throwing")


async def test_vue_component(
    site: LiveSite, page: Page, monitor: PageMonitor, tmp_path: Path
) -> None:
    """The component of the documentation."""
    await site.publisher.publish(state("cloud-1", "neutral"))
    shutil.copy(ROOT / "node_modules/vue/dist/vue.esm-browser.prod.js", tmp_path / "vue.js")
    tmp_path.joinpath("cloud.js").write_text(snippet("Vue").replace(HOST, site.url))
    mount = """<div id="root"></div><script type="module">
      import { createApp } from "vue";
      import { Cloud } from "./cloud.js";
      const app = createApp(Cloud, { pillow: "cloud-1" });
      app.config.compilerOptions.isCustomElement = (tag) => tag === "cloud-pillow";
      app.mount("#root");
      </script>"""
    imports = '<script type="importmap">{"imports": {"vue": "/vue.js"}}</script>'
    with web_site(tmp_path) as origin:
        monitor.allow(origin, site.url)
        write_page(tmp_path, mount, site, imports=imports)
        await page.goto(origin)
        await wait_shown(page, "neutral")
        await site.publisher.publish(state("cloud-1", "spinning"))
        await wait_shown(page, "spinning")

        await expect(page.locator("figure > p")).to_have_text("spinning")


async def test_client_in_a_page(
    site: LiveSite, page: Page, monitor: PageMonitor, tmp_path: Path
) -> None:
    """Without the element."""
    await site.publisher.publish(state("cloud-1", "neutral"))
    with web_site(tmp_path) as origin:
        monitor.allow(origin, site.url)
        write_page(tmp_path, snippet("The client in a page"), site)
        await page.goto(origin)
        await expect(page.locator("#cloud")).to_contain_text("neutral", timeout=SHOWN_MS)
        await site.publisher.publish(state("cloud-1", "shaking"))

        await expect(page.locator("#cloud")).to_contain_text("shaking")


@pytest.mark.parametrize("websocket", [True, False])
async def test_nodejs_program(site: LiveSite, tmp_path: Path, websocket: bool) -> None:
    """With the package as npm installs it, with and without a WebSocket class."""
    package = tmp_path / "node_modules" / "pillowcast"
    shutil.copytree(ROOT / "services/gateway/src/gateway/static/client", package)
    program = snippet("The client in Node.js").replace(HOST, site.url)
    if websocket:  # Node.js has one of its own from 22 on
        ws = (ROOT / "node_modules/ws/wrapper.mjs").as_posix()
        program = f'import WS from "{ws}"; globalThis.WebSocket ??= WS;\n{program}'
    else:
        program = f"delete globalThis.WebSocket;\n{program}"
    tmp_path.joinpath("program.mjs").write_text(program)
    started = await asyncio.create_subprocess_exec(
        find_node(), "program.mjs", cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    assert started.stdout is not None
    try:
        async with asyncio.timeout(60):
            for seq, name in enumerate(("neutral", "hugging", "punching")):
                await site.publisher.publish(state("cloud-1", name, seq=seq))
                while f"cloud-1 {name}\n".encode() != (line := await started.stdout.readline()):
                    assert line, "the program ended"
    finally:
        started.terminate()
        await started.wait()
