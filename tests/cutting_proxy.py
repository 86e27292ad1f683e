"""A proxy in front of a gateway that cuts responses, as a link that breaks in the middle does.

It is for pages: it passes requests on without a body.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from devstack import ports
from tests.waiting import until

_HEAD_END: Final = b"\r\n\r\n"


class _Cut(NamedTuple):
    """What becomes of a response: `share` of its body arrives, perhaps with an announced length."""

    share: float
    announces_length: bool
    at: asyncio.Event | None


class CuttingProxy:
    """Passes all responses on but those that are to be cut; each request has a connection."""

    def __init__(self, gateway_port: int) -> None:
        self._gateway_port = gateway_port
        self.port = ports.free()
        self._cuts: dict[str, _Cut] = {}
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{ports.HOST}:{self.port}"

    def cut(
        self,
        path: str,
        share: float,
        *,
        announces_length: bool = False,
        at: asyncio.Event | None = None,
    ) -> None:
        """Cut the next response for a path that ends with `path`, after this share of its body.

        With `announces_length` its head has the length of the body, as that of a proxy that keeps
        responses; otherwise the head is the gateway's own. The connection ends when `at` is set.
        """
        self._cuts[path] = _Cut(share, announces_length, at)

    async def wait_cut(self, path: str) -> None:
        """Return when the response for `path` has been cut."""
        await until(lambda: path not in self._cuts, f"the response for {path} is cut")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle a connection."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                head = await reader.readuntil(_HEAD_END)
                server = await asyncio.open_connection(ports.HOST, self._gateway_port)
                try:
                    await self._answer(head, reader, writer, *server)
                finally:
                    server[1].close()
        finally:
            writer.close()
            self._serving.discard(task)

    async def close(self) -> None:
        """End all connections."""
        await asyncio.sleep(0)  # those that were just accepted begin
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _answer(
        self,
        head: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        from_gateway: asyncio.StreamReader,
        to_gateway: asyncio.StreamWriter,
    ) -> None:
        if b"upgrade: websocket" in head.lower():
            to_gateway.write(head)
            await asyncio.gather(_pass(reader, to_gateway), _pass(from_gateway, writer))
            return
        to_gateway.write(re.sub(rb"(?i)connection: [^\r]*", b"Connection: close", head))
        path = head.split(b" ", 2)[1].decode().partition("?attempt=")[0]
        found = next((one for one in self._cuts if path.endswith(one)), None)
        if found is None:
            await _pass(from_gateway, writer)  # perhaps events, which have no end
            return
        cut = self._cuts[found]
        writer.write(_cut(await from_gateway.read(), cut))
        await writer.drain()
        self._cuts.pop(found, None)
        if cut.at is not None:
            await cut.at.wait()


def _cut(response: bytes, cut: _Cut) -> bytes:
    head, _, body = response.partition(_HEAD_END)
    if cut.announces_length and b"transfer-encoding: chunked" in head.lower():
        (body,) = re.findall(rb"(?si)^[0-9a-f]+\r\n(.*)\r\n0\r\n\r\n$", body)  # in one chunk
        length = b"content-length: %d" % len(body)
        head = re.sub(rb"(?i)transfer-encoding: chunked", length, head)
    return head + _HEAD_END + body[: int(cut.share * len(body))]


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()


@asynccontextmanager
async def cutting_proxy(gateway_port: int) -> AsyncIterator[CuttingProxy]:
    """Run a proxy in front of the gateway on a port."""
    proxy = CuttingProxy(gateway_port)
    server = await asyncio.start_server(proxy.serve, ports.HOST, proxy.port)
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
