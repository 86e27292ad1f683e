"""The key cache: keys are kept, rotated, and fetched at a bounded rate."""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from structlog.testing import capture_logs

from gateway.auth import key_cache
from gateway.auth.key_cache import FetchError, KeyCache, fetch_key_set
from gateway.auth.keys import KeySet, parse_key_set
from tests.waiting import until


def key_set(*names: str) -> dict[str, Any]:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    document = json.loads(jwt.get_algorithm_by_name("ES256").to_jwk(key))
    return {"keys": [{**document, "kid": name} for name in names]}


def parsed(*names: str) -> KeySet:
    keys = parse_key_set(key_set(*names))
    assert isinstance(keys, KeySet)
    return keys


class Provider:
    """What the fetch function returns or raises, and how often it was called."""

    def __init__(self) -> None:
        self.answer: KeySet | FetchError = parsed("one")
        self.calls = 0

    def __call__(self, _url: str) -> KeySet:
        self.calls += 1
        if isinstance(self.answer, FetchError):
            raise self.answer
        return self.answer


async def test_keys_are_kept_while_the_provider_is_away_and_rotated_when_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_cache, "MIN_INTERVAL_S", 0.01)
    provider, now_s = Provider(), 0.0
    cache = KeyCache("https://login.example/keys", lambda: now_s, provider)
    assert cache.ask_for_unknown_key("one")  # nothing was fetched yet
    running = asyncio.create_task(cache.run())
    await until(lambda: [one.key_id for one in cache.keys.keys] == ["one"], "the first keys")

    provider.answer = FetchError("HTTP Error 503")
    now_s += 1
    assert cache.ask_for_unknown_key("two")
    await until(lambda: cache.last_error is not None, "the failure")
    assert [one.key_id for one in cache.keys.keys] == ["one"]

    provider.answer = parsed("two")
    await until(lambda: [one.key_id for one in cache.keys.keys] == ["two"], "the rotated keys")
    assert cache.last_error is None
    running.cancel()


async def test_tokens_with_unknown_keys_do_not_lead_to_a_fetch_each() -> None:
    provider, now_s = Provider(), 0.0
    cache = KeyCache("https://login.example/keys", lambda: now_s, provider)
    running = asyncio.create_task(cache.run())
    await until(lambda: bool(cache.keys.keys), "the first keys")
    now_s += 0.1
    for number in range(10 * key_cache.MAX_ASKED):
        cache.ask_for_unknown_key(str(number))
    assert provider.calls == 1
    running.cancel()


async def test_a_key_of_a_rotation_just_after_a_fetch_may_be_known_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody can cause a fetch every ten seconds; a good client is not refused for good."""
    monkeypatch.setattr(key_cache, "MIN_INTERVAL_S", 0.05)
    provider, now_s = Provider(), 0.0
    cache = KeyCache("https://login.example/keys", lambda: now_s, provider)
    running = asyncio.create_task(cache.run())
    await until(lambda: bool(cache.keys.keys), "the first keys")
    provider.answer = parsed("two")
    now_s += 0.01
    assert cache.ask_for_unknown_key("two")
    assert cache.ask_for_unknown_key("never")
    await until(lambda: [one.key_id for one in cache.keys.keys] == ["two"], "the rotated keys")

    now_s += 0.01
    assert not cache.ask_for_unknown_key("never")
    assert provider.calls == 2
    running.cancel()


class _Handler(BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, tuple[int, bytes]]] = {
        "/keys": (200, json.dumps(key_set("one")).encode()),
        "/html": (200, b"<html>"),
        "/empty": (200, b'{"keys": []}'),
        "/nested": (200, b"[" * 100_000),
        "/long": (200, b" " * (key_cache.MAX_DOCUMENT_BYTES + 1)),
        "/error": (503, b""),
        "/moved": (302, b""),
    }

    def do_GET(self) -> None:
        status, body = self.answers[self.path]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/keys")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_key_set_is_fetched(provider_url: str) -> None:
    assert [key.key_id for key in fetch_key_set(f"{provider_url}/keys").keys] == ["one"]


@pytest.mark.parametrize("path", ["/html", "/empty", "/nested", "/long", "/error"])
def test_an_answer_that_is_no_key_set_is_an_error(provider_url: str, path: str) -> None:
    with pytest.raises(FetchError):
        fetch_key_set(provider_url + path)


def test_a_redirect_is_not_followed(provider_url: str) -> None:
    """An attacker who redirects the URL would choose the keys."""
    with pytest.raises(FetchError, match="302"):
        fetch_key_set(f"{provider_url}/moved")


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b""]
)
def test_an_answer_that_is_no_http_is_an_error(answer: bytes) -> None:
    """The gateway goes on with the keys that it has."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def respond() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=respond)
        thread.start()
        with pytest.raises(FetchError):
            fetch_key_set(f"http://127.0.0.1:{server.getsockname()[1]}/keys")
        thread.join()


def test_an_answer_that_does_not_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, so that no read times out."""
    monkeypatch.setattr(key_cache, "FETCH_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def respond() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
                connection.settimeout(0.01)
                with contextlib.suppress(ConnectionError):
                    while True:
                        connection.sendall(b" ")
                        with contextlib.suppress(TimeoutError):
                            connection.recv(1)

        thread = threading.Thread(target=respond)
        thread.start()
        with pytest.raises(FetchError, match="not complete"):
            fetch_key_set(f"http://127.0.0.1:{server.getsockname()[1]}/keys")
        thread.join()


def test_a_url_with_an_impossible_port_is_an_error() -> None:
    """The library finds it only when it connects."""
    with pytest.raises(FetchError, match="port"):
        fetch_key_set("http://127.0.0.1:x/keys")


async def test_the_query_of_the_url_is_not_logged() -> None:
    """Some providers expect a key there."""
    provider = Provider()
    provider.answer = FetchError("HTTP Error 403")
    cache = KeyCache("https://login.example/keys?code=sesame", lambda: 0.0, provider)
    with capture_logs() as logs:
        running = asyncio.create_task(cache.run())
        await until(lambda: bool(logs), "the failure")
        running.cancel()

    assert logs[0]["url"] == "https://login.example/keys"


def test_a_provider_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FetchError, match="refused"):
        fetch_key_set("http://127.0.0.1:9/keys")
