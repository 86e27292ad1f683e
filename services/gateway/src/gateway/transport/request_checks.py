"""Request checks: why a whole head is refused before anything is done for it."""

from gateway.transport.request_limits import Overrun, RequestLimits, check_offer, check_query
from gateway.transport.request_parser import (
    INVALID_REQUEST,
    MAX_PARSED_TARGET_BYTES,
    RequestError,
    RequestHead,
    error_of,
    is_valid_target,
)


def head_error_of(head: RequestHead, limits: RequestLimits) -> RequestError | None:
    """Return why a request is neither upgraded nor passed on; None if it may be.

    The query of a WebSocket is checked when that is admitted, so that it is closed with a code.
    """
    try:
        if head.wants_websocket:
            check_offer(head.headers)
        else:
            check_query(head.target.partition(b"?")[2], limits)
    except Overrun as overrun:
        return error_of(overrun)
    return None


def ordinary_error_of(head: RequestHead) -> RequestError | None:
    """Return why a request is not passed to uvicorn; None if it may be.

    The parser does not parse a body behind a request for an upgrade, so that could be taken for
    another request.
    """
    if len(head.target) > MAX_PARSED_TARGET_BYTES:
        reason = f"The target of a request has at most {MAX_PARSED_TARGET_BYTES} bytes."
        return RequestError(reason, 414, "target", MAX_PARSED_TARGET_BYTES)
    if not is_valid_target(head.target) or (head.is_upgrade and head.has_body):
        return RequestError(INVALID_REQUEST)
    return None
