"""A cloud in somebody else's page, as docs/embedding.md says: plain HTML, React and Vue."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from devstack import ports
from devstack.broker import Broker
from devstack.node import find_node
from devstack.processes import ROOT
from tests.e2e.sites import SHOWN_MS, Sky, Watch, sky_of, web_site
from tests.gateway import state

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

DOCUMENT = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
HOST = "https://pillows.example"


def snippet(heading: str) -> str:
    """The first code of a chapter."""
    _, _, chapter = DOCUMENT.partition(f"# {heading}\n")
    assert chapter, f"docs/embedding.md has no chapter {heading!r}"
    return chapter.split("```", 2)[1].partition("\n")[2]


@pytest.fixture(scope="module")
async def sky(broker: Broker) -> AsyncIterator[Sky]:
    """A gateway that lets every site listen."""
    async for made in sky_of(broker, origins="*"):
        yield made


@pytest.fixture
async def watch(page: Page) -> AsyncIterator[Watch]:
    watching = Watch(page)
    yield watching
    watching.assert_clean()


async def shows(page: Page, name: str) -> None:
    await expect(page.locator("cloud-pillow")).to_have_attribute(
        "data-state", name, timeout=SHOWN_MS
    )


def site(folder: Path, body: str, sky: Sky, *, imports: str = "") -> None:
    """Write a page of another site."""
    folder.joinpath("index.html").write_text(
        "<!doctype html><html lang=en><meta charset=utf-8><link rel=icon href=data:,>"
        f"<title>elsewhere</title>{imports}<body>{body.replace(HOST, sky.url)}",
        encoding="utf-8",
    )


async def test_two_lines_of_html(sky: Sky, page: Page, watch: Watch, tmp_path: Path) -> None:
    """A live cloud, that a page can dress, hear and ask."""
    await sky.cloud.publish(state("cloud-1", "neutral"))
    heard = """<script>window.heard = []; addEventListener("statechange", (event) =>
      heard.push([event.detail.previous, event.detail.state, event.detail.fresh]));</script>
      <style>cloud-pillow { --cloud-pillow-width: 320px; --cloud-pillow-hugging: rgb(1, 2, 3); }
      cloud-pillow::part(state) { color: rgb(4, 5, 6); }</style>"""
    with web_site(tmp_path) as origin:
        watch.allow(origin, sky.url)
        site(tmp_path, heard + snippet("The element"), sky)
        await page.goto(origin)
        await shows(page, "neutral")
        await sky.cloud.publish(state("cloud-1", "hugging"))
        await shows(page, "hugging")
        element = page.locator("cloud-pillow")

        assert await page.evaluate("heard") == [
            ["unknown", "neutral", "live"],
            ["neutral", "hugging", "live"],
        ]
        # While a cloud changes it has two drawings.
        shade = element.locator(".drawing:not(.leaving) .shade")
        await expect(shade).to_have_css("fill", "rgb(1, 2, 3)")
        await expect(element.locator(".state")).to_have_css("color", "rgb(4, 5, 6)")
        told = (
            "element => [element.offsetWidth, element.state, element.fresh, element.value.pillow]"
        )
        assert await element.evaluate(told) == [320, "hugging", "live", "cloud-1"]
        await element.evaluate("element => element.setAttribute('pillow', 'nobody')")
        await shows(page, "unknown")


async def test_a_cloud_out_of_sight_does_nothing(
    sky: Sky, page: Page, watch: Watch, tmp_path: Path
) -> None:
    """Until it is scrolled to."""
    await sky.cloud.publish(state("far", "spinning"))
    below = f'<p style="height: 300vh">far</p><script type="module" src="{HOST}/embed.js"></script>'
    running = """element => element.shadowRoot.querySelector('svg').getAnimations({subtree: true})
        .filter(one => one.playState === 'running').length"""
    with web_site(tmp_path) as origin:
        watch.allow(origin, sky.url)
        site(tmp_path, f'{below}<cloud-pillow pillow="far"></cloud-pillow>', sky)
        await page.goto(origin)
        await shows(page, "spinning")
        element = page.locator("cloud-pillow")
        assert await element.evaluate(running) == 0
        await element.scroll_into_view_if_needed()

        await expect(element.locator("svg")).not_to_have_class(re.compile("away"))
        assert await element.evaluate(running) > 0


async def test_a_site_that_was_not_named_is_told_so(
    broker: Broker, page: Page, tmp_path: Path
) -> None:
    """A visitor sees that it is not live here, the console says what to do; it tries no more."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    async for strict in sky_of(broker):
        await strict.cloud.publish(state("cloud-1", "neutral"))
        with web_site(tmp_path) as origin:
            site(tmp_path, snippet("The element"), strict)
            await page.goto(origin)

            element = page.locator("cloud-pillow")
            await expect(element).to_contain_text("Not allowed on this site", timeout=SHOWN_MS)
            await expect(element).to_contain_text("No word yet")
            assert [one for one in said if "GATEWAY_ALLOWED_ORIGINS" in one], said


async def test_a_page_that_means_harm(sky: Sky, page: Page, watch: Watch, tmp_path: Path) -> None:
    """Its rules for everything stop at the element, and what it inherits does no damage."""
    await sky.cloud.publish(state("cloud-1", "hugging"))
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
        watch.allow(origin, sky.url)
        site(tmp_path, hostile + snippet("The element"), sky)
        await page.goto(origin)
        await shows(page, "hugging")
        told = await page.locator("cloud-pillow").evaluate(drawn)

    assert told == [True, True, "none", "normal", "visible", True]


async def test_a_strict_policy_needs_what_the_documentation_says(
    sky: Sky, page: Page, watch: Watch, tmp_path: Path
) -> None:
    """The gateway among scripts and connections, and nothing for styles."""
    await sky.cloud.publish(state("cloud-1", "shaking"))
    host = sky.url.removeprefix("http://")
    policy = f"default-src 'none'; script-src {sky.url}; connect-src {sky.url} ws://{host}"
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}; img-src data:">'
    with web_site(tmp_path) as origin:
        watch.allow(origin, sky.url)
        site(tmp_path, snippet("The element"), sky, imports=meta)
        await page.goto(origin)
        await shows(page, "shaking")
        element = page.locator("cloud-pillow")

        await expect(element.locator(".drawing:not(.leaving) .shade")).not_to_have_css(
            "fill", "rgb(0, 0, 0)"
        )
        assert await element.evaluate("element => element.offsetWidth") == 220


async def test_elements_come_and_go_and_change(
    sky: Sky, page: Page, watch: Watch, tmp_path: Path
) -> None:
    """Several share one connection; what is taken out, put back or renamed shows what is so."""
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await sky.cloud.publish_all([state("cloud-1", "hugging"), state("cloud-2", "spinning")])
    body = f"""<cloud-pillow id="a" src="{HOST}"></cloud-pillow><cloud-pillow id="b" src="{HOST}/">
      </cloud-pillow><script>a.pillow = "cloud-1"; b.pillow = "cloud-2"; b.label = "Beta";</script>
      <script type="module" src="{HOST}/embed.js"></script>"""
    with web_site(tmp_path) as origin:
        watch.allow(origin, sky.url)
        site(tmp_path, body, sky)
        await page.goto(origin)
        first, second = page.locator("#a"), page.locator("#b")
        for element, name in ((first, "hugging"), (second, "spinning")):
            await expect(element).to_have_attribute("data-state", name, timeout=SHOWN_MS)
        await expect(second).to_contain_text("Beta")
        assert len(sockets) == 1

        await page.evaluate("window.kept = b; b.remove()")
        await sky.cloud.publish(state("cloud-2", "throwing"))
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


async def test_a_gateway_that_is_not_there(sky: Sky, page: Page, tmp_path: Path) -> None:
    """The element says that it is disconnected, without a word of how the cloud is."""
    nobody = f"http://127.0.0.1:{ports.free()}"
    body = f"""<script type="module" src="{HOST}/embed.js"></script>
      <cloud-pillow pillow="cloud-1" src="{nobody}"></cloud-pillow>"""
    with web_site(tmp_path) as origin:
        site(tmp_path, body, sky)
        await page.goto(origin)
        element = page.locator("cloud-pillow")

        await expect(element).to_contain_text("Disconnected", timeout=SHOWN_MS)
        await expect(element).to_contain_text("No word yet")
        await expect(element).to_have_attribute("data-fresh", "unknown")


async def test_in_react(sky: Sky, page: Page, watch: Watch, tmp_path: Path) -> None:
    """The component of the documentation."""
    await sky.cloud.publish(state("cloud-1", "neutral"))
    modules = tmp_path / "modules"
    modules.mkdir()
    # React comes as CommonJS alone: each file is given what a bundler would give it.
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
    tmp_path.joinpath("cloud.js").write_text(snippet("React").replace(HOST, sky.url))
    mount = """<div id="root"></div><script type="module">
      import { createElement } from "react";
      import { createRoot } from "react-dom/client";
      import { Cloud } from "./cloud.js";
      createRoot(document.getElementById("root")).render(createElement(Cloud, {pillow: "cloud-1"}));
      </script>"""
    with web_site(tmp_path) as origin:
        watch.allow(origin, sky.url)
        site(tmp_path, mount, sky, imports=imports)
        await page.goto(origin)
        await shows(page, "neutral")
        await sky.cloud.publish(state("cloud-1", "throwing"))
        await shows(page, "throwing")

        await expect(page.locator("figure > p")).to_have_text("throwing")


async def test_in_vue(sky: Sky, page: Page, watch: Watch, tmp_path: Path) -> None:
    """The component of the documentation."""
    await sky.cloud.publish(state("cloud-1", "neutral"))
    shutil.copy(ROOT / "node_modules/vue/dist/vue.esm-browser.prod.js", tmp_path / "vue.js")
    tmp_path.joinpath("cloud.js").write_text(snippet("Vue").replace(HOST, sky.url))
    mount = """<div id="root"></div><script type="module">
      import { createApp } from "vue";
      import { Cloud } from "./cloud.js";
      const app = createApp(Cloud, { pillow: "cloud-1" });
      app.config.compilerOptions.isCustomElement = (tag) => tag === "cloud-pillow";
      app.mount("#root");
      </script>"""
    imports = '<script type="importmap">{"imports": {"vue": "/vue.js"}}</script>'
    with web_site(tmp_path) as origin:
        watch.allow(origin, sky.url)
        site(tmp_path, mount, sky, imports=imports)
        await page.goto(origin)
        await shows(page, "neutral")
        await sky.cloud.publish(state("cloud-1", "spinning"))
        await shows(page, "spinning")

        await expect(page.locator("figure > p")).to_have_text("spinning")


async def test_in_a_page_of_ones_own(sky: Sky, page: Page, watch: Watch, tmp_path: Path) -> None:
    """The client, without the element."""
    await sky.cloud.publish(state("cloud-1", "neutral"))
    with web_site(tmp_path) as origin:
        watch.allow(origin, sky.url)
        site(tmp_path, snippet("The client in a page"), sky)
        await page.goto(origin)
        await expect(page.locator("#cloud")).to_contain_text("neutral", timeout=SHOWN_MS)
        await sky.cloud.publish(state("cloud-1", "shaking"))

        await expect(page.locator("#cloud")).to_contain_text("shaking")


@pytest.mark.parametrize("websocket", [True, False])
async def test_a_program_for_node(sky: Sky, tmp_path: Path, websocket: bool) -> None:
    """The program of the documentation, with the package as npm would install it."""
    package = tmp_path / "node_modules" / "pillowcast"
    shutil.copytree(ROOT / "services/gateway/src/gateway/static/client", package)
    program = snippet("The client in Node.js").replace(HOST, sky.url)
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
                await sky.cloud.publish(state("cloud-1", name, seq=seq))
                while f"cloud-1 {name}\n".encode() != (line := await started.stdout.readline()):
                    assert line, "the program ended"
    finally:
        started.terminate()
        await started.wait()
