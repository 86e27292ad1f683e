"""For tests of the page: a gateway on a broker, a monitor of faults, and another web site."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

from playwright.async_api import ConsoleMessage, Page, Request, expect

from devstack.broker import Broker
from tests.gateway import Gateway, Publisher, connect_publisher
from tests.waiting import eventually

SHOWN_MS = 40_000
"""Timeout in ms until the page shows a state, for a busy machine."""

IS_KEPT = """caches.keys().then((names) => Promise.all(names.map(async (name) =>
  (await (await caches.open(name)).keys()).length))).then((counts) => counts[0] > 0)"""
"""Whether the service worker keeps the page, which it does soon after the page is live."""

OUTAGE = (
    "Failed to load resource",
    "WebSocket connection to",
    "could not be loaded",
    "error occurred when fetching the script",
    "establish a connection",
    "interrupted while the page was",
)
"""What browsers, and the page, write to the console about a gateway that is gone: about requests,
parts of the page that were not loaded yet, and the service worker."""


class PageMonitor:
    """Collects exceptions, console messages and requests to other origins of a page."""

    def __init__(self, page: Page, *allowed: str) -> None:
        self.faults: list[str] = []
        self._allowed = [*allowed, "data:", "blob:"]
        self._expected: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"thrown: {error}"))
        page.on("console", self._on_console)
        page.on("request", self._on_request)

    def allow(self, *origins: str) -> None:
        """Allow requests to these origins."""
        self._allowed += origins

    def expect(self, text: str) -> None:
        """Ignore faults with this text, as of a server that is killed."""
        self._expected.append(text)

    def expect_outage(self) -> None:
        """Ignore what a browser says of a gateway that is gone."""
        self._expected += OUTAGE

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(tuple(self._allowed)):
            self.faults.append(f"request to {request.url}")

    def assert_clean(self) -> None:
        """Assert that there was no fault but the expected ones."""
        rest = [one for one in self.faults if not any(text in one for text in self._expected)]
        assert rest == [], f"the page has faults: {rest}"


async def wait_without(page: Page, faults: str, where: str = "the page") -> None:
    """Wait until an expression returns no faults: the layout follows with the next frames."""
    found: list[str] = []
    for _ in range(100):
        found = await page.evaluate(faults)
        if not found:
            return
        await page.evaluate("new Promise(requestAnimationFrame)")
    raise AssertionError(f"{where}: {found}")


async def wait_fulfilled(page: Page, promise: str) -> None:
    """Wait until an expression is a promise of true.

    Playwright's `wait_for_function` takes every promise for true.
    """

    async def is_true() -> bool:
        return await page.evaluate(promise) is True

    await eventually(is_true, promise, within_s=SHOWN_MS / 1000)


async def wait_kept(page: Page) -> None:
    """Wait until the service worker keeps the page."""
    await wait_fulfilled(page, IS_KEPT)


class LiveSite:
    """A gateway and the publisher of its pillows."""

    def __init__(self, gateway: Gateway, publisher: Publisher) -> None:
        self.gateway = gateway
        self.publisher = publisher
        self.url = gateway.url


async def live_site(
    broker: Broker, *, expire_after: int = 3600, origins: str = ""
) -> AsyncIterator[LiveSite]:
    """Run a gateway with its own topic prefix; yields once."""
    prefix = f"t{uuid4().hex[:12]}"
    gateway = Gateway(
        broker, prefix, GATEWAY_EXPIRE_AFTER=str(expire_after), GATEWAY_ALLOWED_ORIGINS=origins
    )
    async with gateway, connect_publisher(broker, prefix) as publisher:
        yield LiveSite(gateway, publisher)


async def site_of_page(
    broker: Broker, page: Page, *, expire_after: int = 3600
) -> AsyncIterator[LiveSite]:
    """Run a gateway that `page` leaves before it ends; yields once.

    A page that is open then says on its console that the gateway is gone.
    """
    async for site in live_site(broker, expire_after=expire_after):
        yield site
        await page.goto("about:blank")


class _SilentHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        pass


@contextmanager
def web_site(folder: Path) -> Iterator[str]:
    """Serve a folder as another web site, on its own port; yields its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_SilentHandler, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


async def wait_connected(page: Page, connection: str = "live") -> None:
    """Wait until the page says that its connection is so."""
    body = page.locator("body")
    await expect(body).to_have_attribute("data-connection", connection, timeout=40_000)


async def wait_for_tools(page: Page) -> None:
    """Wait for what the page loads after its first picture, as the keys of the wall."""
    await expect(page.locator(".print-stamp")).to_have_count(1, timeout=SHOWN_MS)
