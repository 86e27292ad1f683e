"""The endpoint `/events` for requests that do not become an event stream."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from contract.frames import FORBIDDEN, FULL, TOO_MANY, UNAUTHORIZED
from gateway.http.guard import unauthorized
from gateway.http.problems import problem
from gateway.transport.admission import Refusal
from gateway.transport.context import TransportContext
from gateway.transport.pipeline import PIPELINE_KEY
from gateway.transport.plain_response import RETRY_AFTER_S
from gateway.transport.sse import HEADERS, MEDIA_TYPE


def sse_endpoint(context: TransportContext) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint; an admitted GET is upgraded before it arrives here."""

    async def events(request: Request) -> Response:
        peer = request.client.host if request.client else None
        # The transport has refused it, unless it had to wait behind another request.
        pipeline = request.scope.get("state", {}).get(PIPELINE_KEY)
        outcome = (pipeline and pipeline.refusal) or context.admit(
            request.scope["query_string"], dict(request.headers.raw), peer
        )
        if isinstance(outcome, Refusal):
            context.registry.count_refused(outcome)
            response = _refused(outcome)
            # A page of another site may read why it is refused; there is nothing else to read.
            response.headers["Access-Control-Allow-Origin"] = "*"
            return response
        if request.method == "HEAD":
            return Response(media_type=MEDIA_TYPE, headers=HEADERS)
        return problem(
            400, "bad request", "an event stream must not be pipelined behind another request"
        )

    return events


def _refused(refusal: Refusal) -> Response:
    if refusal.code == FORBIDDEN:
        return problem(403, "not allowed", refusal.reason)
    if refusal.code == UNAUTHORIZED:
        return unauthorized(refusal)
    if refusal.code == FULL:
        return problem(503, "full", refusal.reason, retry_after_s=RETRY_AFTER_S)
    if refusal.code == TOO_MANY:
        retry_after_s = refusal.retry_after_s or RETRY_AFTER_S
        return problem(429, "too many requests", refusal.reason, retry_after_s=retry_after_s)
    return problem(400, "bad request", refusal.reason)
