"""The files of deploy/proxies: what they tell the gateway of a client, and browsers of TLS."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from devstack import ports
from devstack.proxies import PROXIES
from tests.gateway import TIMEOUT_S
from tests.proxies import Proxy

FORGED = {
    "Forwarded": "for=203.0.113.7;host=evil.example;proto=http",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
}


class _Backend(BaseHTTPRequestHandler):
    """Answers each request with its own headers, and names itself as servers do."""

    server_version = "Backend/1.2.3"

    def do_GET(self) -> None:
        body = "".join(f"{name.lower()}: {value}\n" for name, value in self.headers.items())
        self.send_response(404 if self.path == "/nothing" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        pass


@pytest.fixture(scope="module")
def backend() -> Iterator[int]:
    """A server in the gateway's place; yields its port."""
    server = ThreadingHTTPServer((ports.HOST, 0), _Backend)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module", params=PROXIES)
async def proxy(
    request: pytest.FixtureRequest, backend: int, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Proxy]:
    """Each proxy in front of it."""
    async with Proxy(request.param, backend, tmp_path_factory.mktemp("proxy")) as started:
        yield started


def client_of(proxy: Proxy) -> httpx.AsyncClient:
    trust = ssl.create_default_context(cafile=str(proxy.certificate))
    return httpx.AsyncClient(verify=trust, timeout=TIMEOUT_S)


@pytest.mark.parametrize("path", ["/events", "/pillows/events"])
async def test_a_client_cannot_choose_the_address_host_and_scheme_that_the_gateway_is_told(
    proxy: Proxy, path: str
) -> None:
    """The gateway believes a trusted proxy, so the proxy must not believe the client."""
    async with client_of(proxy) as client:
        text = (await client.get(f"{proxy.url}{path}", headers=FORGED)).text
    told = [line.partition(": ") for line in text.splitlines()]
    own = f"{ports.HOST}:{proxy.port}"

    assert [value for name, _, value in told if name == "x-forwarded-for"] == [ports.HOST]
    assert [value for name, _, value in told if name == "x-forwarded-host"] == [own]
    assert [value for name, _, value in told if name == "x-forwarded-proto"] == ["https"]
    assert [value for name, _, value in told if name == "host"] == [own]
    assert "forwarded" not in [name for name, _, _ in told]


@pytest.mark.parametrize("path", ["/", "/nothing", "/pillows", "/pillows/"])
async def test_every_response_by_tls_asks_browsers_for_tls_only(proxy: Proxy, path: str) -> None:
    """For a year, also on errors and redirects."""
    async with client_of(proxy) as client:
        response = await client.get(f"{proxy.url}{path}")

    assert (
        response.headers.get_list("strict-transport-security")
        == ["max-age=31536000; includeSubDomains"]
    )  # fmt: skip


async def test_the_proxy_tells_no_version(proxy: Proxy) -> None:
    """Neither its own nor that of a server behind it."""
    async with client_of(proxy) as client:
        for path in ("/", "/pillows"):
            response = await client.get(f"{proxy.url}{path}")
            assert response.headers.get("server") in (None, "nginx")
            assert response.headers.get("via") in (None, "1.1 Caddy")


@pytest.mark.parametrize(
    ("version", "accepted"),
    [
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
)
async def test_tls_1_2_and_1_3_are_spoken_and_nothing_older(
    proxy: Proxy, version: ssl.TLSVersion, accepted: bool
) -> None:
    """By a client that would speak older ones."""
    trust = ssl.create_default_context(cafile=str(proxy.certificate))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        trust.minimum_version = trust.maximum_version = version
    trust.set_ciphers("ALL:@SECLEVEL=0")
    try:
        _, writer = await asyncio.open_connection(ports.HOST, proxy.port, ssl=trust)
    except ssl.SSLError:
        assert not accepted
        return
    assert accepted
    writer.close()


async def test_of_tls_1_2_only_ciphers_with_forward_secrecy_and_authentication_are_spoken(
    proxy: Proxy,
) -> None:
    """Not even with a client that knows no others."""
    trust = ssl.create_default_context(cafile=str(proxy.certificate))
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    trust.set_ciphers("ALL:!AESGCM:!CHACHA20:@SECLEVEL=0")

    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(ports.HOST, proxy.port, ssl=trust)


async def test_without_tls_the_page_is_redirected_and_everything_else_is_refused(
    proxy: Proxy,
) -> None:
    """A program whose address has the wrong scheme is not to go unnoticed."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        page = await client.get(f"http://{ports.HOST}:{proxy.plain_port}/?pillow=cloud-1")
        refused = [
            await client.get(f"http://{ports.HOST}:{proxy.plain_port}{path}")
            for path in ("/api/pillows", "/events", "/ws", "/pillows/")
        ]

    assert page.status_code == 308
    # nginx names the host of its file, whatever the request named.
    host = "pillows.example.org" if proxy.name == "nginx" else ports.HOST
    assert page.headers["location"].startswith(f"https://{host}")
    assert page.headers["location"].endswith("/?pillow=cloud-1")
    assert [one.status_code for one in refused] == [403] * len(refused)
