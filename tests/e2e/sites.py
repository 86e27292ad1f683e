"""What the page's tests stand on: a gateway on a real broker, its pillows, and other web sites."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

from playwright.async_api import ConsoleMessage, Page, Request

from devstack.broker import Broker
from tests.gateway import Gateway, Publisher, connect_publisher

SHOWN_MS = 15_000


class Watch:
    """What a page must not do: throw, complain, or ask anybody it has no business with."""

    def __init__(self, page: Page, *allowed: str) -> None:
        self.faults: list[str] = []
        self._allowed = [*allowed, "data:", "blob:"]
        self._expected: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"thrown: {error}"))
        page.on("console", self._said)
        page.on("request", self._asked)

    def allow(self, *origins: str) -> None:
        """Name who may be asked."""
        self._allowed += origins

    def expect(self, text: str) -> None:
        """A complaint of the browser's own, as of a server that was killed."""
        self._expected.append(text)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(tuple(self._allowed)):
            self.faults.append(f"asked for {request.url}")

    def assert_clean(self) -> None:
        """Nothing but what was expected."""
        rest = [one for one in self.faults if not any(text in one for text in self._expected)]
        assert rest == [], f"the page complained: {rest}"


class Sky:
    """A gateway and the pillows that publish to it."""

    def __init__(self, gateway: Gateway, cloud: Publisher) -> None:
        self.gateway = gateway
        self.cloud = cloud
        self.url = gateway.url


async def sky_of(
    broker: Broker, *, expire_after: int = 3600, origins: str = ""
) -> AsyncIterator[Sky]:
    """A gateway with a prefix of its own, for as long as it is asked for."""
    prefix = f"t{uuid4().hex[:12]}"
    gateway = Gateway(
        broker, prefix, GATEWAY_EXPIRE_AFTER=str(expire_after), GATEWAY_ALLOWED_ORIGINS=origins
    )
    async with gateway, connect_publisher(broker, prefix) as cloud:
        yield Sky(gateway, cloud)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        pass


@contextmanager
def web_site(folder: Path) -> Iterator[str]:
    """Another web site, on a port of its own, that serves a folder; yields its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
