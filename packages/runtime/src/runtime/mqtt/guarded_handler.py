"""Guarded handler: an error of the handler of messages does not end the session."""

from collections.abc import Callable

import structlog

from runtime.log_once import LogOnce, brief_error, place_of
from runtime.mqtt.packets import Message

log = structlog.get_logger()


class GuardedHandler:
    """Calls the handler of a session's messages, and counts and logs its errors.

    An error is logged once for each type and place: whoever sent the message may send it for ever.
    """

    def __init__(self, handle: Callable[[Message], None]) -> None:
        self._handle = handle
        self._log_once = LogOnce()
        self.failed = 0
        """How many messages ended in an error."""

    def receive(self, message: Message) -> None:
        """Call the handler."""
        try:
            self._handle(message)
        except Exception as error:
            self.failed += 1
            place = place_of(error)
            if self._log_once.is_first("failed", f"{type(error).__name__} {place}"):
                log.error(
                    "message handler failed; further errors of this kind are only counted",
                    topic=message.topic,
                    error=brief_error(error),
                    at=place,
                )
