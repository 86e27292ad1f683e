"""Warnings of the MQTT consumer: each is logged for its cause, because faults repeat."""

import structlog

from runtime.error_text import brief_error, place_of
from runtime.log_repeats import LogRepeats
from runtime.pillow_notes import PillowNotes

log = structlog.get_logger()


class WarnOnce:
    """Logs the first of each kind of warning and topic, and of each error and line of code.

    `notes` has the last of each pillow, logged or not.
    """

    def __init__(self) -> None:
        self._repeats = LogRepeats()
        self.notes = PillowNotes()

    def refused(self, topic: str, reason: str) -> None:
        """Log why a message was refused."""
        self.notes.add(_pillow_of(topic), "refused", reason)
        if (repeats := self._repeats.due("refused", topic)) is not None:
            log.warning(
                "refused an MQTT message; further ones of this topic are only counted",
                topic=topic,
                reason=reason,
                **repeats,
            )

    def error(self, topic: str, error: Exception) -> None:
        """Log an unexpected error."""
        brief, place = brief_error(error), place_of(error)
        if (repeats := self._repeats.due("error", f"{type(error).__name__} {place}")) is not None:
            log.error(
                "an MQTT message failed and changed nothing; further errors of this kind are only "
                "counted",
                topic=topic,
                error=brief,
                at=place,
                **repeats,
            )

    def clock_is_behind(self, topic: str) -> None:
        """Log that a pillow's clock is wrong."""
        self.notes.add(_pillow_of(topic), "clock-behind")
        if (repeats := self._repeats.due("behind", topic)) is not None:
            log.warning(
                "a pillow's clock is behind: it is shown with its newest known state; set its "
                "clock, or remove its retained state",
                topic=topic,
                **repeats,
            )

    def over_limit(self, topic: str) -> None:
        """Log that there are as many pillows as allowed."""
        self.notes.add(_pillow_of(topic), "over-limit")
        if (repeats := self._repeats.due("over-limit")) is not None:
            log.warning(
                "GATEWAY_MAX_PILLOWS is reached: a new pillow replaces the one that has been "
                "silent for longest, or is refused where none is silent",
                topic=topic,
                **repeats,
            )

    def clock_differs(self, seconds: float) -> None:
        """Log that the wall clock of this machine is wrong, or the queue's."""
        if self._repeats.due("offset") is not None:  # it is checked again and again
            log.warning(
                "the clock of this machine differs from the queue's time; set it",
                queue_is_ahead_s=round(seconds, 1),
            )


def _pillow_of(topic: str) -> str:
    """Return the pillow of a topic that was parsed before: the level before the last."""
    return topic.rsplit("/", 2)[-2]
