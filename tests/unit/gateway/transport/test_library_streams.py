"""Handshakes and frames, read by the gateway and by the `websockets` library from the same bytes.

Intended differences:

- A handshake without a Host header, or with two, is refused (RFC 9112 §3.2); the library reads it.
- So is one with two Content-Length headers, also if they are equal.
- So is one for another path than /ws, also with a fragment; the library has one path for all.
- The method may be followed by several blanks (RFC 9112 §3 allows it).
- A request that is no HTTP is refused with 400; the library closes without an answer.

The parser of requests is httptools, so that both parsers have to agree.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol

from contract.frames import MAX_REQUEST_BYTES
from gateway.transport.handshake import respond
from gateway.transport.message_reader import BinaryMessage, MessageReader, TextMessage
from gateway.transport.request_parser import RequestHead, RequestParser
from tests.gateway import BINARY, CLOSE, PING, TEXT, client_frame, close_code, handshake
from tests.hypothesis_profiles import examples

LAST = "the last message"
LINES = handshake().split(b"\r\n")[:-2]
ODD_LINES = (
    b"Host: y", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Key: short",
    b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 12", b"Connection: close",
    b"Connection: keep-alive, upgrade", b"Upgrade: h2c", b"Content-Length: 0", b"Content-Length: 1",
    b"Content-Length: x", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b": x", b"X",
    b"X : a", b" folded", b"X: a\0", b"X: \xff", b"X:\ta \t", b"Origin: null", b"X: a\nY: b",
    b"Sec-WebSocket-Protocol: pillowcast.v1", b"Sec-WebSocket-Protocol: ,", b"Expect: 100-continue",
    b"Sec-WebSocket-Extensions: permessage-deflate", b"Sec-WebSocket-Extensions: ;",
)  # fmt: skip
REQUEST_LINES = (
    b"GET /ws HTTP/1.1", b"GET /ws?a=b HTTP/1.1", b"POST /ws HTTP/1.1", b"GET /ws HTTP/1.0",
    b"GET /ws HTTP/2.0", b"GET  /ws HTTP/1.1", b"GET /ws", b"get /ws HTTP/1.1", b"GET /w s HTTP/1",
    b"GET /ws HTTP/1.1 ", b"HEAD /ws HTTP/1.1", b"PUT /ws HTTP/1.1", b"GET /\xff HTTP/1.1",
)  # fmt: skip


@st.composite
def handshakes(draw: st.DrawFn) -> list[bytes]:
    """The lines of a handshake, of which some are missing, twice or odd."""
    lines = [draw(st.sampled_from(REQUEST_LINES[:2] + REQUEST_LINES)), *LINES[1:]]
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(1, len(lines)))
        if draw(st.booleans()):
            lines.insert(at, draw(st.sampled_from(ODD_LINES)))
        else:
            del lines[at : at + 1]
    return lines


@settings(max_examples=examples(400))
@given(handshakes())
@example(LINES)
def test_the_gateway_accepts_the_handshakes_that_the_library_accepts(lines: list[bytes]) -> None:
    """With the differences that are listed above."""
    raw = b"\r\n".join((*lines, b"", b""))
    names = [line.partition(b":")[0].lower() for line in lines]
    is_refused_here = names.count(b"host") != 1 or names.count(b"content-length") > 1
    events = RequestParser().feed(raw)
    head = events[0] if events else None
    is_accepted = isinstance(head, RequestHead) and respond(head).accepted
    library = ServerProtocol(
        extensions=[ServerPerMessageDeflateFactory()], max_size=MAX_REQUEST_BYTES
    )
    library.receive_data(raw.replace(b"GET  ", b"GET "))
    requests = library.events_received()
    library_accepts = any(
        library.accept(one).status_code == 101 for one in requests if isinstance(one, Request)
    )

    has_path = lines[0].split()[1] in (b"/ws", b"/ws?a=b")
    assert is_accepted == (library_accepts and has_path and not is_refused_here)


class Library:
    """A server of the library's, with the messages of its last connection and their end."""

    def __init__(self) -> None:
        self.messages: list[str | None] = []
        self._server: Server | None = None
        self._has_read_all = asyncio.Event()

    async def start(self) -> None:
        """Serve on loopback, with the gateway's limit and without compression."""
        self._server = await serve(
            self._record, "127.0.0.1", 0, max_size=MAX_REQUEST_BYTES, compression=None,
            ping_interval=None, close_timeout=5,
        )  # fmt: skip

    async def stop(self) -> None:
        """Stop serving."""
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _record(self, connection: ServerConnection) -> None:
        try:
            async for message in connection:
                self.messages.append(message if isinstance(message, str) else None)
                if message == LAST:
                    self._has_read_all.set()
        except ConnectionClosed:
            pass

    async def read(self, stream: bytes) -> tuple[list[str | None], int | None]:
        """Send a stream behind a handshake; return the messages and the code of the close frame."""
        assert self._server is not None
        self.messages = []
        self._has_read_all.clear()
        port = self._server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(handshake())
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(stream)
        answer = asyncio.ensure_future(reader.read())
        has_read_all = asyncio.ensure_future(self._has_read_all.wait())
        async with asyncio.timeout(10):
            await asyncio.wait((answer, has_read_all), return_when=asyncio.FIRST_COMPLETED)
            writer.write_eof()
            code = close_code(head + await answer)
        has_read_all.cancel()
        writer.close()
        return self.messages, code


@pytest.fixture(scope="module")
async def library() -> AsyncIterator[Library]:
    """One server for all examples."""
    running = Library()
    await running.start()
    yield running
    await running.stop()


def by_gateway(stream: bytes) -> tuple[list[str | None], int | None]:
    """Return the messages that the gateway's reader finds, and the code of its close frame."""
    reader = MessageReader(deflate=False)
    messages: list[str | None] = []
    for event in reader.feed(stream):
        if isinstance(event, TextMessage):
            messages.append(event.text)
        elif isinstance(event, BinaryMessage):
            messages.append(None)
    return messages, close_code(b"\r\n\r\n" + reader.data_to_send())


payloads = st.text(max_size=20).map(str.encode) | st.binary(max_size=10)
frames = st.one_of(
    st.builds(
        client_frame,
        st.sampled_from([TEXT, TEXT, BINARY, 0, PING, 10, CLOSE, 3]),
        payloads,
        fin=st.sampled_from([True, True, False]),
        mask=st.sampled_from([True, True, True, False]),
    ),
    st.sampled_from(
        [
            client_frame(CLOSE, b"\x03\xe8"),
            client_frame(CLOSE, b"\x03\xedx"),
            client_frame(CLOSE, b""),
            client_frame(TEXT, b"x" * 70_000),
            client_frame(PING, b"x" * 126),
            b"\xc1\x80\0\0\0\0",
        ]
    ),
)


@settings(max_examples=examples(150))
@given(stream=st.lists(frames, max_size=6).map(b"".join))
@example(stream=client_frame(TEXT, b"\xff"))
async def test_the_gateway_reads_the_messages_that_the_library_reads(
    library: Library, stream: bytes
) -> None:
    """And closes with the same code."""
    stream += client_frame(TEXT, LAST.encode())
    messages, code = await library.read(stream)
    ours, our_code = by_gateway(stream)

    assert ours == messages
    # Where nothing is wrong the library closes at the end of the stream.
    assert our_code == code or (our_code is None and messages[-1:] == [LAST])
