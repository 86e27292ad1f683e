"""WebKitGTK's MiniBrowser on a virtual screen, by WebDriver: https://www.w3.org/TR/webdriver2/"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from devstack import ports
from devstack.probes import http_answers
from devstack.processes import Program
from tests.engines.page import key_actions, until
from tests.machine import need_webkit

READY_S: Final = 60.0
ANSWER_S: Final = 60.0

STYLE: Final = """
* { min-width: 0; min-height: 0; margin: 0; padding: 0; font-size: 1px; border: none; }
"""
"""The window's own tools are small, because a window is at least as wide as they are."""

LISTEN: Final = """(() => {
  const faults = window.consoleFaults = [];
  for (const level of ['error', 'warn']) {
    const write = console[level];
    console[level] = (...values) => {
      faults.push(`${level}: ${values.join(' ')}`);
      write.apply(console, values);
    };
  }
  addEventListener('error', ({ message }) => faults.push(`thrown: ${message}`));
  addEventListener('unhandledrejection', ({ reason }) => faults.push(`rejected: ${reason}`));
  addEventListener('securitypolicyviolation',
    ({ violatedDirective, blockedURI }) => faults.push(`${violatedDirective}: ${blockedURI}`));
})()"""

EVALUATE: Final = """const done = arguments[arguments.length - 1];
(async () => JSON.stringify(await (EXPRESSION)))().then(
  (value) => done([true, value ?? 'null']), (error) => done([false, String(error)]));"""


@asynccontextmanager
async def webkit(folder: Path) -> AsyncIterator["WebKitPage"]:
    """Run a browser whose configuration is in `folder`; yields its page."""
    driver_path, browser_path = need_webkit()
    style = folder / "config" / "gtk-3.0" / "gtk.css"
    style.parent.mkdir(parents=True)
    style.write_text(STYLE)
    screen = Program(
        "Xvfb", ["Xvfb", "-displayfd", "1", "-screen", "0", "3900x2300x24", "-nolisten", "tcp"]
    )
    async with screen:
        display = await screen.log.wait_for(r"^\d+$", within_s=READY_S)
        port = ports.free()
        driver = Program(
            "WebKitWebDriver",
            [driver_path, f"--port={port}"],
            ready=partial(http_answers, ports.HOST, port, "/status", status=200),
            env={
                "DISPLAY": f":{display}",
                "WAYLAND_DISPLAY": None,
                "XDG_CONFIG_HOME": str(folder / "config"),
            },
        )
        browser = {"binary": browser_path, "args": ["--automation"]}
        async with driver, httpx.AsyncClient(timeout=ANSWER_S, trust_env=False) as client:
            wanted = {"alwaysMatch": {"webkitgtk:browserOptions": browser}}
            root = f"http://{ports.HOST}:{port}/session"
            answer = (await client.post(root, json={"capabilities": wanted})).json()["value"]
            assert "sessionId" in answer, f"no session: {answer}"
            yield WebKitPage(client, f"{root}/{answer['sessionId']}")
            driver.kill()


class WebKitPage:
    """A window."""

    def __init__(self, client: httpx.AsyncClient, session: str) -> None:
        self._client = client
        self._session = session
        self._faults: list[str] = []

    async def open(self, url: str) -> None:
        """Load an address, and wait until the document is complete."""
        await self._note_faults()
        await self._send("POST", "url", url=url)
        await self.evaluate(LISTEN)

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, or of the promise that it is, as JSON."""
        script = EVALUATE.replace("EXPRESSION", expression)
        succeeded, value = await self._send("POST", "execute/async", script=script, args=[])
        assert succeeded, f"{expression} throws {value}"
        return json.loads(value)

    async def resize(self, width: int, height: int) -> None:
        """Give the page this size in CSS pixels; the window has a few of its own tools besides."""
        rect = await self._send("GET", "window/rect")
        inner = await self.evaluate("[innerWidth, innerHeight]")
        size = {
            "width": width + rect["width"] - inner[0],
            "height": height + rect["height"] - inner[1],
        }
        await self._send("POST", "window/rect", x=0, y=0, **size)
        # The page learns of it later.
        await until(self, f"innerWidth === {width} && innerHeight === {height}")

    async def press(self, key: str) -> None:
        """Press and release a key."""
        await self._send("POST", "actions", actions=key_actions(key))

    async def faults(self) -> list[str]:
        """Return the errors and warnings of the console so far, with uncaught exceptions.

        Only those of scripts, and of policies, after each document was complete: a browser that is
        driven writes its console nowhere.
        """
        await self._note_faults()
        return list(self._faults)

    async def _note_faults(self) -> None:
        self._faults += await self.evaluate("window.consoleFaults?.splice(0) ?? []")

    async def _send(self, verb: str, command: str, **params: object) -> Any:
        body = params if verb == "POST" else None
        response = await self._client.request(verb, f"{self._session}/{command}", json=body)
        value = response.json()["value"]
        assert response.status_code == httpx.codes.OK, f"{command}: {value}"
        return value
