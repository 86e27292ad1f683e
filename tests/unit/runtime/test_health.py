"""Health: what a service says of itself, and the command that asks it."""

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
from runtime.health import OK, health_routes, main


def client(dependencies: dict[str, str]) -> httpx.AsyncClient:
    """A client of a service with these dependencies and one counter at 3."""
    registry = CollectorRegistry()
    Counter("pillows", "Pillows seen.", registry=registry).inc(3)
    app = Starlette(routes=health_routes(lambda: dependencies, registry))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


async def test_alive_says_ok_whatever_else_is_wrong() -> None:
    """A broker's blip must not restart every process."""
    async with client({"mqtt": "gone"}) as http:
        answer = await http.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


@pytest.mark.parametrize(
    ("dependencies", "status"),
    [
        ({}, 200),
        ({"mqtt": OK, "queue": OK}, 200),
        ({"mqtt": "mqtt://h:1883: gone", "queue": OK}, 503),
        ({"mqtt": "gone", "queue": "gone too"}, 503),
    ],
)
async def test_ready_means_every_dependency_and_names_each(
    dependencies: dict[str, str], status: int
) -> None:
    """With the sentence that says what is wrong."""
    async with client(dependencies) as http:
        answer = await http.get("/readyz")

    assert answer.status_code == status
    assert answer.json() == {"ready": status == 200, "dependencies": dependencies}


async def test_readiness_is_asked_for_each_time() -> None:
    """What was wrong may be right again."""
    dependencies = {"mqtt": "not connected yet"}
    async with client(dependencies) as http:
        assert (await http.get("/readyz")).status_code == 503
        dependencies["mqtt"] = OK
        assert (await http.get("/readyz")).status_code == 200


async def test_metrics_are_in_the_text_prometheus_reads() -> None:
    """Of this service's own registry alone."""
    async with client({}) as http:
        answer = await http.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "pillows_total 3.0" in answer.text
    assert "python_info" not in answer.text


@contextmanager
def server(answer: bytes) -> Iterator[str]:
    """An HTTP server that says the same to everybody; its address."""

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
def test_the_command_succeeds_only_when_the_service_is_ready(
    answer: bytes, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise one line says of whom and why."""
    with server(answer) as url:
        assert ask(monkeypatch, url) == status

        said = capsys.readouterr().err
        assert said.startswith(f"{url}: ") == (status != 0)
        assert said.count("\n") == (status != 0)


def test_the_command_fails_where_nobody_listens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one line, not a traceback."""
    url = f"http://{ports.HOST}:{ports.free()}/readyz"

    assert ask(monkeypatch, url) == 1
    assert capsys.readouterr().err.startswith(f"{url}: ")


@pytest.mark.parametrize(
    "arguments", [(), ("http://a", "http://b"), ("ftp://a",), ("file:///etc/passwd",), ("a",)]
)
def test_the_command_asks_http_and_nothing_else(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anything else is a mistake in who calls it."""
    assert ask(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err.startswith("usage: ")


def test_the_command_asks_itself_and_no_proxy() -> None:
    """Docker hands its own proxy to every container."""
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
