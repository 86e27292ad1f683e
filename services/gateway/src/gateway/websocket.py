"""One browser on a WebSocket: what it says, and what waits for it."""

import asyncio
from collections.abc import Sequence

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from contract.frames import (
    BAD_MESSAGE,
    FORBIDDEN,
    SUBPROTOCOL,
    Error,
    Ping,
    Pong,
    decode_request,
    encode_frame,
)
from gateway.admission import Wish, origin_allowed, read_wish
from gateway.fanout import Frame, Listener
from gateway.live import Live, wall_ms


class Refused(Exception):
    """The connection has to be closed: with which code, and why."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


class WebSockets:
    """The endpoint `/ws`."""

    def __init__(self, live: Live, allowed_origins: Sequence[str]) -> None:
        self._live = live
        self._allowed_origins = allowed_origins

    async def serve(self, socket: WebSocket) -> None:
        """Serve one browser from its handshake to its end."""
        offered = socket.scope.get("subprotocols", ())
        try:
            # Accepted even to be refused: a browser shows a page the code of a closed connection,
            # but nothing of a refused handshake.
            await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
            with self._live.metrics.connections.labels("websocket").track_inprogress():
                try:
                    await self._converse(socket, self._admit(socket))
                except Refused as refused:
                    await self._refuse(socket, refused)
        except WebSocketDisconnect:
            pass  # it is gone, as browsers go

    def _admit(self, socket: WebSocket) -> Wish:
        headers = socket.headers
        if not origin_allowed(headers.get("origin"), headers.get("host"), self._allowed_origins):
            raise Refused(
                FORBIDDEN,
                f"origin {headers['origin'][:80]} may not listen; see GATEWAY_ALLOWED_ORIGINS",
            )
        wish = read_wish(socket.query_params.getlist("pillow"), socket.query_params.get("since"))
        if isinstance(wish, str):
            raise Refused(BAD_MESSAGE, wish)
        return wish

    async def _converse(self, socket: WebSocket, wish: Wish) -> None:
        waiting = asyncio.Event()
        listener = self._live.attach(wish, waiting.set)
        reading = asyncio.ensure_future(self._read(socket, listener))
        writing = asyncio.ensure_future(self._write(socket, listener, waiting))
        try:
            await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._live.fanout.detach(listener)
            reading.cancel()
            writing.cancel()
            ended = await asyncio.gather(reading, writing, return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

    async def _read(self, socket: WebSocket, listener: Listener) -> None:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code") or 1005)
            text = message.get("text")
            if text is None:
                raise Refused(BAD_MESSAGE, "a binary message; frames are text")
            asked = decode_request(text)
            if isinstance(asked, str):
                raise Refused(BAD_MESSAGE, asked)
            if isinstance(asked, Ping):
                listener.say("pong", Frame(encode_frame(Pong(asked.sent, wall_ms()))))
            else:
                named = frozenset(asked.pillows) if isinstance(asked.pillows, list) else None
                self._live.fanout.subscribe(listener, named)

    async def _write(self, socket: WebSocket, listener: Listener, waiting: asyncio.Event) -> None:
        while True:
            await waiting.wait()
            waiting.clear()
            closing = listener.closing  # asked for after this, the goodbye is taken next time
            # Sending waits while the browser does not read; what it misses meanwhile is conflated.
            for frame in self._live.take(listener):
                await socket.send({"type": "websocket.send", "text": frame.text})
            if closing is not None:
                await socket.close(closing)
                return

    async def _refuse(self, socket: WebSocket, refused: Refused) -> None:
        self._live.metrics.refused.labels(str(refused.code)).inc()
        if socket.application_state is WebSocketState.CONNECTED:
            error = Error(refused.code, refused.why)
            await socket.send({"type": "websocket.send", "text": encode_frame(error).decode()})
            await socket.close(refused.code)
