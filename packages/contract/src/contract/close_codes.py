"""Close codes: why the gateway ends a WebSocket, and whether a client connects again."""

from typing import Final, Literal, NamedTuple

from contract.frames import (
    BAD_MESSAGE,
    FORBIDDEN,
    FULL,
    RESTART,
    TOKEN_TIMEOUT,
    TOO_MANY,
    UNAUTHORIZED,
)


class CloseCode(NamedTuple):
    """What a close code means.

    `reconnect` is `yes` (after a random delay), `later` (after a longer one) or `no`.
    `status` is that of the problem document which refuses a request for the same reason; None where
    there is none.
    """

    reason: str
    reconnect: Literal["yes", "later", "no"]
    status: int | None


CLOSE_CODES: Final[dict[int, CloseCode]] = {
    RESTART: CloseCode("the gateway restarts", "yes", None),
    FULL: CloseCode("the gateway is full", "yes", 503),
    BAD_MESSAGE: CloseCode("an invalid frame or query", "no", 400),
    UNAUTHORIZED: CloseCode("a missing or invalid token", "no", 401),
    FORBIDDEN: CloseCode("an origin or a pillow that is not allowed", "no", 403),
    TOKEN_TIMEOUT: CloseCode("no token within the time limit", "no", None),
    TOO_MANY: CloseCode(
        "too many connections of one address, `subscribe` messages, or pillows in all lists",
        "later",
        429,
    ),
}
