"""Health, readiness and metrics over HTTP, and the health command."""

import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette

from devstack import ports
from runtime.health import OK, health_routes, main, ok_but


def client(dependencies: dict[str, str]) -> httpx.AsyncClient:
    """A client of a service with these dependencies and one counter at 3."""
    registry = CollectorRegistry()
    Counter("pillows", "Pillows seen.", registry=registry).inc(3)
    app = Starlette(routes=health_routes(lambda: dependencies, registry))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


async def test_healthz_is_200_whatever_the_dependencies() -> None:
    """An outage of the broker must not restart every process."""
    async with client({"mqtt": "gone"}) as http:
        answer = await http.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


@pytest.mark.parametrize(
    ("dependencies", "status"),
    [
        ({}, 200),
        ({"mqtt": OK, "queue": OK}, 200),
        ({"mqtt": ok_but("no retained messages"), "queue": ok_but(None)}, 200),
        ({"mqtt": "mqtt://h:1883: gone", "queue": OK}, 503),
        ({"mqtt": "gone", "queue": "gone too"}, 503),
    ],
)
async def test_readyz_is_200_only_if_every_dependency_is_ok_and_names_each(
    dependencies: dict[str, str], status: int
) -> None:
    """With its error."""
    async with client(dependencies) as http:
        answer = await http.get("/readyz")

    assert answer.status_code == status
    assert answer.json() == {"ready": status == 200, "dependencies": dependencies}


async def test_readiness_is_evaluated_for_each_request() -> None:
    """A dependency can recover."""
    dependencies = {"mqtt": "not connected yet"}
    async with client(dependencies) as http:
        assert (await http.get("/readyz")).status_code == 503
        dependencies["mqtt"] = OK
        assert (await http.get("/readyz")).status_code == 200


async def test_metrics_are_in_the_format_of_prometheus() -> None:
    """From this service's own registry only."""
    async with client({}) as http:
        answer = await http.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "pillows_total 3.0" in answer.text
    assert "python_info" not in answer.text


@contextmanager
def server(answer: bytes) -> Iterator[str]:
    """The address of an HTTP server that gives every request the same response."""

    class Same(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(answer)

    with socketserver.TCPServer((ports.HOST, 0), Same) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://{ports.HOST}:{listening.server_address[1]}/readyz"
        listening.shutdown()


def ask(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command in this process; return its exit status."""
    monkeypatch.setattr(sys, "argv", ["health", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 0),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 1),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 1),
        (b"this is no HTTP\r\n\r\n", 1),
        (b"", 1),
    ],
)
def test_the_health_command_succeeds_only_if_the_service_is_ready(
    answer: bytes, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise it writes one line with the URL and the reason."""
    with server(answer) as url:
        assert ask(monkeypatch, url) == status

        said = capsys.readouterr().err
        assert said.startswith(f"{url}: ") == (status != 0)
        assert said.count("\n") == (status != 0)


def test_the_health_command_fails_if_nothing_listens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one line, not a traceback."""
    url = f"http://{ports.HOST}:{ports.free()}/readyz"

    assert ask(monkeypatch, url) == 1
    assert capsys.readouterr().err.startswith(f"{url}: ")


@pytest.mark.parametrize(
    "arguments", [(), ("http://a", "http://b"), ("ftp://a",), ("file:///etc/passwd",), ("a",)]
)
def test_the_health_command_accepts_only_http_urls(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any other argument is a usage error."""
    assert ask(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err.startswith("usage: ")


def test_the_health_command_uses_no_proxy() -> None:
    """Docker can set the host's proxy in every container."""
    proxy = f"http://{ports.HOST}:{ports.free()}"
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as url:
        asked = subprocess.run(
            [sys.executable, "-m", "runtime.health", url],
            env={**os.environ, "http_proxy": proxy, "HTTP_PROXY": proxy, "no_proxy": ""},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert (asked.returncode, asked.stderr) == (0, "")
