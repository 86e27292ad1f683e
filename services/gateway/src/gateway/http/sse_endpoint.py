"""The endpoint `/events` for requests that do not become an event stream."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from contract.frames import FORBIDDEN, FULL, TOO_MANY, UNAUTHORIZED
from gateway.http.guard import unauthorized
from gateway.http.problems import problem
from gateway.http.responses import Endpoint
from gateway.transport.admission import Refusal
from gateway.transport.context import TransportContext
from gateway.transport.forwarded import joined_lists
from gateway.transport.pipeline import PIPELINE_KEY
from gateway.transport.sse import HEADERS, MEDIA_TYPE

_TITLES: Final = {FORBIDDEN: "not allowed", FULL: "full", TOO_MANY: "too many requests"}


def sse_endpoint(context: TransportContext) -> Endpoint:
    """Return the endpoint; an admitted GET is upgraded before it arrives here."""

    async def events(request: Request) -> Response:
        peer, raw = request.client.host if request.client else None, request.headers.raw
        # The transport has refused it, unless it had to wait behind another request.
        pipeline = request.scope.get("state", {}).get(PIPELINE_KEY)
        outcome = (pipeline and pipeline.refusal) or context.admit(
            request.scope["query_string"], {**dict(raw), **joined_lists(raw)}, peer
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
    if refusal.code == UNAUTHORIZED:
        return unauthorized(refusal)
    return problem(
        refusal.status,
        _TITLES.get(refusal.code, "bad request"),
        refusal.reason,
        retry_after_s=refusal.retry_after_s if refusal.is_for_now else None,
    )
