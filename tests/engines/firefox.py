"""Firefox without a window, by WebDriver BiDi: https://www.w3.org/TR/webdriver-bidi/"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import websockets

from devstack.processes import Program
from tests.engines.page import key_actions
from tests.machine import need_firefox

READY_S: Final = 60.0
ANSWER_S: Final = 60.0

PREFERENCES: Final = """
user_pref("app.update.enabled", false);
user_pref("browser.newtabpage.enabled", false);
user_pref("browser.region.network.url", "");
user_pref("browser.safebrowsing.provider.google4.updateURL", "");
user_pref("browser.safebrowsing.provider.mozilla.updateURL", "");
user_pref("datareporting.healthreport.uploadEnabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("extensions.systemAddon.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
"""
"""No network traffic except that of the page."""


@asynccontextmanager
async def firefox(folder: Path) -> AsyncIterator["FirefoxPage"]:
    """Run Firefox with a new profile in `folder`; yields a page."""
    path = need_firefox()
    profile = folder / "profile"
    profile.mkdir()
    (profile / "user.js").write_text(PREFERENCES)
    command = [
        path,
        "--headless",
        "--no-remote",
        "--profile",
        str(profile),
        "--remote-debugging-port=0",
    ]
    async with Program("firefox", command) as program:
        line = await program.log.wait_for("BiDi listening on ws://", within_s=READY_S)
        address = line.rpartition(" ")[2] + "/session"
        async with websockets.connect(address, max_size=None, proxy=None) as connection:
            page = FirefoxPage(connection)
            receiving = asyncio.create_task(page.receive(), name="receive from Firefox")
            try:
                await page.begin()
                yield page
            finally:
                receiving.cancel()
        program.kill()


class FirefoxPage:
    """A tab."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._faults: list[str] = []
        self._tab = ""

    async def receive(self) -> None:
        """Pass answers on, and note what the console says; runs until it is cancelled."""
        async for text in self._connection:
            message = json.loads(text)
            if message["type"] == "event":
                self._note(message)
            else:
                self._answers.pop(message["id"]).set_result(message)

    async def begin(self) -> None:
        """Begin the session, with the tab that is open."""
        await self._send("session.new", capabilities={})
        await self._send("session.subscribe", events=["log.entryAdded"])
        tree = await self._send("browsingContext.getTree")
        self._tab = tree["contexts"][0]["context"]

    async def open(self, url: str) -> None:
        """Load an address, and wait until the document is complete."""
        await self._send("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    async def run_before(self, function: str) -> None:
        """Call a JavaScript function in each page that is opened from now on, before its own."""
        await self._send("script.addPreloadScript", functionDeclaration=function)

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, or of the promise that it is, as JSON."""
        answer = await self._send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self._tab},
            awaitPromise=True,
        )
        assert answer["type"] == "success", f"{expression} throws {answer['exceptionDetails']}"
        return json.loads(answer["result"].get("value", "null"))

    async def resize(self, width: int, height: int) -> None:
        """Give the page this size in CSS pixels."""
        size = {"width": width, "height": height}
        await self._send("browsingContext.setViewport", context=self._tab, viewport=size)

    async def press(self, key: str) -> None:
        """Press and release a key."""
        await self._send("input.performActions", context=self._tab, actions=key_actions(key))

    async def faults(self) -> list[str]:
        """Return the errors and warnings of the console so far, with uncaught exceptions."""
        return list(self._faults)

    def _note(self, event: dict[str, Any]) -> None:
        entry = event["params"]
        if entry["level"] in ("warn", "error"):
            self._faults.append(f"{entry['level']}: {entry['text']}")

    async def _send(self, method: str, **params: object) -> dict[str, Any]:
        number = next(self._ids)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        async with asyncio.timeout(ANSWER_S):
            answer = await self._answers[number]
        assert answer["type"] == "success", f"{method}: {answer}"
        result: dict[str, Any] = answer["result"]
        return result
