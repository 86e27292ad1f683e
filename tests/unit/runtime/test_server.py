"""The HTTP server: a port or a sentence, and a stop that finishes what is open."""

import asyncio
import signal
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from devstack import ports
from runtime.server import PortUnavailable, listen, serve_until, url_of


def address(listener: socket.socket) -> str:
    """Where a listener is reached."""
    return "http://{}:{}".format(*listener.getsockname()[:2])


def test_port_0_is_any_free_port() -> None:
    """Two listeners have different ones."""
    with listen(ports.HOST, 0, "POLLER_PORT") as one, listen(ports.HOST, 0, "POLLER_PORT") as other:
        assert address(one) != address(other)


def test_a_used_port_is_an_error_that_names_the_setting() -> None:
    """Before any other part of the service has started."""
    with listen(ports.HOST, 0, "POLLER_PORT") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortUnavailable) as caught:
            listen(ports.HOST, port, "GATEWAY_PORT")

    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use; "
        "set GATEWAY_PORT to a free port"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_an_error_that_names_it(host: str) -> None:
    """Or one that does not exist."""
    with pytest.raises(PortUnavailable, match=f"cannot listen on {host}:0: "):
        listen(host, 0, "GATEWAY_PORT")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.0.0.1"])
async def test_the_url_of_a_listener_can_be_opened(host: str) -> None:
    with listen(host, 0, "GATEWAY_PORT") as listener:
        url = url_of(listener)
        target = httpx.URL(url)
        assert target.host in ("localhost", "127.0.0.1")
        with socket.create_connection((target.host, target.port or 80)):
            pass


def test_a_port_can_be_used_again_at_once() -> None:
    """By a service that is restarted."""
    with listen(ports.HOST, 0, "POLLER_PORT") as first:
        port = first.getsockname()[1]
        with socket.create_connection((ports.HOST, port)):
            first.setblocking(True)
            accepted, _ = first.accept()
            accepted.close()

    listen(ports.HOST, port, "POLLER_PORT").close()


def test_an_ipv6_address_is_listened_on() -> None:
    """If the machine has IPv6."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with listen("::1", 0, "POLLER_PORT") as listener:
        assert listener.getsockname()[0] == "::1"


async def test_a_stop_lets_an_open_request_finish() -> None:
    """No further request is accepted."""
    arrived, released, stopping = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(_request: Request) -> Response:
        arrived.set()
        await released.wait()
        return PlainTextResponse("done")

    listener = listen(ports.HOST, 0, "POLLER_PORT")
    url = address(listener)
    serving = asyncio.ensure_future(
        serve_until(Starlette(routes=[Route("/", slow)]), listener, stopping)
    )
    async with httpx.AsyncClient() as http, asyncio.timeout(20):
        asked = asyncio.ensure_future(http.get(url))
        await arrived.wait()
        stopping.set()
        released.set()

        assert (await asked).text == "done"
        await serving
        with pytest.raises(httpx.ConnectError):
            await http.get(url)


async def test_responses_have_no_server_header() -> None:
    """Clients do not need its name and version."""
    stopping = asyncio.Event()
    listener = listen(ports.HOST, 0, "POLLER_PORT")
    serving = asyncio.ensure_future(serve_until(Starlette(), listener, stopping))
    async with httpx.AsyncClient() as http, asyncio.timeout(20):
        answer = await http.get(address(listener))
        stopping.set()
        await serving

    assert answer.status_code == 404
    assert "server" not in answer.headers


async def test_uvicorn_installs_no_signal_handlers() -> None:
    """runtime.lifecycle has the process's own; this fails if `capture_signals` is not called."""
    stopping = asyncio.Event()
    listener = listen(ports.HOST, 0, "POLLER_PORT")
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    serving = asyncio.ensure_future(serve_until(Starlette(), listener, stopping))
    async with httpx.AsyncClient() as http, asyncio.timeout(20):
        await http.get(address(listener))  # it is started
        during = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
        stopping.set()
        await serving

    assert during == before
