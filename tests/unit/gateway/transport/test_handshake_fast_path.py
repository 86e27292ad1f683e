"""What is understood at the front is answered as the HTTP server answers it, which is only asked
for what comes in pieces."""

import asyncio
import base64
import re
import tracemalloc

import pytest
from websockets.utils import accept_key

from gateway.transport.handshake_fast_path import _shaken
from tests.gateway import handshake, request
from tests.unit.gateway.servers import Served, serving
from tests.waiting import until

SAMPLE = b"dGhlIHNhbXBsZSBub25jZQ=="
KEY = b"AQIDBAUGBwgJCgsMDQ4PEA=="

LINE = b"Sec-WebSocket-Key: %b\r\n" % SAMPLE
KEYLESS = handshake().replace(LINE, b"")

REQUESTS = {
    "plain": handshake(),
    "another key": handshake().replace(SAMPLE, KEY),
    "a pillow": handshake("/ws?pillow=cloud-1"),
    "no pillow": handshake("/ws?pillow=%20"),
    "compression": handshake("/ws", "Sec-WebSocket-Extensions: permessage-deflate"),
    "our protocol": handshake("/ws", "Sec-WebSocket-Protocol: other, pillowcast.v1"),
    "another site": handshake("/ws", "Origin: http://elsewhere"),
    "a name in lower case": handshake().replace(b"Sec-WebSocket-Key", b"sec-websocket-key"),
    "a key that is none": handshake().replace(SAMPLE, b"short"),
    "a key and more": handshake().replace(SAMPLE, SAMPLE + b" "),
    "the key first": KEYLESS.replace(b"\r\n", b"\r\n%b" % LINE, 1),
    "the key last": KEYLESS[:-2] + LINE + b"\r\n",
    "nothing but a line": b"GET /ws HTTP/1.1\r\n\r\n",
    "no key": handshake().replace(b"Sec-WebSocket-Key", b"X-Key"),
    "two keys": handshake("/ws", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA=="),
    "an old version": handshake().replace(b"Version: 13", b"Version: 12"),
    "no upgrade": handshake().replace(b"Upgrade: websocket\r\n", b""),
    "a long header": handshake("/ws", f"Cookie: {'c' * 6000}"),
    "many headers": handshake("/ws", *(f"X-{number}: 1" for number in range(100))),
    "a body": handshake("/ws", "Content-Length: 0"),
    "elsewhere": handshake("/wss"),
    "events": request("/events?pillow=cloud-1"),
    "events for another site": request("/events", "Origin: http://elsewhere"),
    "events and many headers": request("/events", *(f"X-{number}: 1" for number in range(100))),
    "events with a body": request("/events", "Content-Length: 0"),
    "old events": request("/events").replace(b"HTTP/1.1", b"HTTP/1.0"),
}


async def head_of(served: Served, sent: bytes, *, cut: int) -> bytes:
    """The head of the answer to a request that comes in two pieces; its date is left out."""
    async with served.dialled(sent[:cut]) as wire:
        loop = asyncio.get_running_loop()
        if sent[cut:]:
            await until(lambda: not served.door._silent, "heard")
            await loop.sock_sendall(wire, sent[cut:])
        got = b""
        async with asyncio.timeout(10):
            while b"\r\n\r\n" not in got:
                piece = await loop.sock_recv(wire, 4096)
                assert piece, "closed without an answer"
                got += piece
    return re.sub(rb"(?im)^date:.*\r\n", b"", got.partition(b"\r\n\r\n")[0] + b"\r\n")


@pytest.mark.parametrize("sent", REQUESTS.values(), ids=REQUESTS.keys())
async def test_a_request_is_answered_as_by_the_http_server(sent: bytes) -> None:
    """Also when others have said the same before."""
    async with serving() as served:
        in_pieces = await head_of(served, sent, cut=20)
        for _ in range(2):
            assert await head_of(served, sent, cut=len(sent)) == in_pieces


async def test_everyone_gets_the_answer_to_their_own_key() -> None:
    """However many say all else alike."""
    async with serving() as served:
        for number in range(20):
            key = base64.b64encode(number.to_bytes(16))
            answer = await head_of(served, handshake().replace(SAMPLE, key), cut=1000)
            accepted = accept_key(key.decode()).encode()
            assert b"Sec-WebSocket-Accept: %b\r\n" % accepted in answer


async def test_what_is_said_alike_is_read_once() -> None:
    """Whoever says it, but for the key."""
    async with serving() as served:
        before = _shaken.cache_info()
        for number in range(5):
            key = base64.b64encode(number.to_bytes(16))
            await head_of(served, handshake().replace(SAMPLE, key), cut=1000)
        after = _shaken.cache_info()

    assert after.hits + after.misses - before.hits - before.misses == 5
    assert after.misses - before.misses <= 1


def test_what_is_kept_is_bounded() -> None:
    """Handshakes that differ on purpose, in as many and as short headers as will be read."""
    tracemalloc.start()
    try:
        for number in range(600):
            after = b"\r\na:" * 60 + b"\r\nX: %d%b\r\n\r\n" % (number, b"x" * 3000)
            _shaken(b"\r\nUpgrade: websocket", after)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        _shaken.cache_clear()

    assert kept < 8 * 2**20
