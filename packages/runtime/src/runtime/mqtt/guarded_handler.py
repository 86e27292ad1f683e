"""Guarded handler: no message ends the session, however it fails and however large it is."""

from collections.abc import Callable

import structlog

from runtime.error_text import brief_error, place_of
from runtime.log_repeats import LogRepeats
from runtime.mqtt.packets import Message

log = structlog.get_logger()


class GuardedHandler:
    """Calls the handler of a session's messages; counts and logs what is not handled.

    An error is logged once for each type and place: whoever sent the message may send it for ever.
    """

    def __init__(self, handle: Callable[[Message], None], max_packet_bytes: int) -> None:
        self._handle = handle
        self._max_packet_bytes = max_packet_bytes
        self._repeats = LogRepeats()
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
            if (
                repeats := self._repeats.due("failed", f"{type(error).__name__} {place}")
            ) is not None:
                log.error(
                    "message handler failed; further errors of this kind are only counted",
                    topic=message.topic,
                    error=brief_error(error),
                    at=place,
                    **repeats,
                )

    def discard(self, topic: str, size: int) -> None:
        """Count a message of `size` bytes that is above the limit."""
        self.oversized += 1
        if (repeats := self._repeats.due("oversized")) is not None:
            log.error(
                "message discarded because it is above the limit; further ones are only counted",
                topic=topic,
                bytes=size,
                limit=self._max_packet_bytes,
                **repeats,
            )
