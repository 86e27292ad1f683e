"""`healthy`, the health check of the images: bash, without an interpreter that starts slowly."""

import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devstack import ports
from devstack.processes import ROOT


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    """The port of an HTTP server that gives every request the same response."""

    class Same(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(answer)

    with socketserver.TCPServer((ports.HOST, 0), Same) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening.server_address[1]
        listening.shutdown()


def healthy(*words: object) -> tuple[int, str]:
    """Run the check; return its exit status and its output."""
    done = subprocess.run(
        ["bash", str(ROOT / "deploy" / "images" / "healthy"), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", (0, "")),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\nmqtt: gone", (1, "mqtt: gone")),
        (b"nonsense\r\n", (1, "")),
        (b"", (1, "")),
    ],
)
def test_only_a_2xx_answer_is_healthy_and_the_body_of_another_is_shown(
    answer: bytes, expected: tuple[int, str]
) -> None:
    """`docker inspect` has the output."""
    with server(answer) as port:
        assert healthy(port, "/readyz") == expected


def test_without_a_path_a_port_that_accepts_connections_is_healthy() -> None:
    """For what does not speak HTTP."""
    with server(b"") as port:
        assert healthy(port) == (0, "")
    assert healthy(ports.free()) == (1, "")
