"""Guarded handler: no message ends the session, however it fails and however large it is."""

from collections.abc import Callable

import structlog

from runtime.error_text import brief_error, place_of
from runtime.log_once import LogOnce
from runtime.mqtt.packets import Message

log = structlog.get_logger()


class GuardedHandler:
    """Calls the handler of a session's messages; counts and logs what is not handled.

    An error is logged once for each type and place: whoever sent the message may send it for ever.
    """

    def __init__(self, handle: Callable[[Message], None], max_packet_bytes: int) -> None:
        self._handle = handle
        self._max_packet_bytes = max_packet_bytes
        self._log_once = LogOnce()
        self.failed = 0
        """How many messages ended in an error."""
        self.oversized = 0
        """How many messages were discarded because they were above the limit."""

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

    def discard(self, topic: str, size: int) -> None:
        """Count a message of `size` bytes that is above the limit."""
        self.oversized += 1
        if self._log_once.is_first("oversized"):
            log.error(
                "message discarded because it is above the limit; further ones are only counted",
                topic=topic,
                bytes=size,
                limit=self._max_packet_bytes,
            )
