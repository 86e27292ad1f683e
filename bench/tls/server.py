"""A server of idle WebSockets over TLS: server.py PORT LOOP BYTES CERTIFICATE KEY.

It answers each handshake with a frame of BYTES, as a snapshot is, and keeps the connection.
"""

import asyncio
import ssl
import sys
from typing import Final

import uvloop

_HEAD: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


class _Idle(asyncio.Protocol):
    __slots__ = ("_answer", "transport")

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def data_received(self, _data: bytes) -> None:
        self.transport.write(self._answer)


async def _serve(port: int, context: ssl.SSLContext, frame: bytes) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Idle(_HEAD + frame), "127.0.0.1", port, ssl=context, backlog=4096
    )
    await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    port, loop, size, certificate, key = sys.argv[1:]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    if loop == "uvloop":
        uvloop.install()
    frame = b"\x82\x7f" + int(size).to_bytes(8) + bytes(int(size))
    asyncio.run(_serve(int(port), context, frame))


if __name__ == "__main__":
    main()
