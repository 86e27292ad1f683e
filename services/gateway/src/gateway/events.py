"""One browser on Server-Sent Events: the same stream as the WebSocket's, one way."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from contract.frames import RECONNECT_MS
from gateway.admission import Wish, origin_allowed, read_wish
from gateway.live import Live
from gateway.problems import problem

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back until its buffer is full
}


class Events:
    """The endpoint `/events`."""

    def __init__(self, live: Live, allowed_origins: Sequence[str]) -> None:
        self._live = live
        self._allowed_origins = allowed_origins

    async def serve(self, request: Request) -> Response:
        """Serve one browser from its request to its end."""
        headers, query = request.headers, request.query_params
        if not origin_allowed(headers.get("origin"), headers.get("host"), self._allowed_origins):
            return problem(
                403, "origin not allowed", f"{headers['origin']}; see GATEWAY_ALLOWED_ORIGINS"
            )
        wish = read_wish(
            query.getlist("pillow"), headers.get("last-event-id") or query.get("since")
        )
        if isinstance(wish, str):
            return problem(400, "bad request", wish)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=_HEADERS)
        return StreamingResponse(
            self._stream(wish), media_type="text/event-stream", headers=_HEADERS
        )

    async def _stream(self, wish: Wish) -> AsyncIterator[bytes]:
        waiting = asyncio.Event()
        listener = self._live.attach(wish, waiting.set)
        try:
            with self._live.metrics.connections.labels("events").track_inprogress():
                # Each browser gets a delay of its own, so that a restart is no stampede.
                yield b"retry: %d\n\n" % random.randint(*RECONNECT_MS)  # noqa: S311 - jitter
                closing = False
                while not closing:
                    await waiting.wait()
                    waiting.clear()
                    # Asked for after this, the goodbye is taken next time.
                    closing = listener.closing is not None
                    yield b"".join(frame.event for frame in self._live.take(listener))
        finally:
            self._live.fanout.detach(listener)
