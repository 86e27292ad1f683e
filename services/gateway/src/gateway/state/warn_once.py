"""Warnings of the MQTT consumer: each is logged once for its cause, because faults repeat."""

import structlog

from runtime.error_text import brief_error, place_of
from runtime.log_once import LogOnce
from runtime.pillow_notes import PillowNotes

log = structlog.get_logger()


class WarnOnce:
    """Logs each kind of warning once a topic, and an unexpected error once a line of code.

    `notes` has the last of each pillow, logged or not.
    """

    def __init__(self) -> None:
        self._log_once = LogOnce()
        self.notes = PillowNotes()

    def refused(self, topic: str, reason: str) -> None:
        """Log why a message was refused."""
        self.notes.add(_pillow_of(topic), "refused", reason)
        if self._log_once.is_first("refused", topic):
            log.warning(
                "refused an MQTT message; further ones of this topic are only counted",
                topic=topic,
                reason=reason,
            )

    def error(self, topic: str, error: Exception) -> None:
        """Log an unexpected error."""
        brief, place = brief_error(error), place_of(error)
        if self._log_once.is_first("error", f"{type(error).__name__} {place}"):
            log.error(
                "an MQTT message failed and changed nothing; further errors of this kind are only "
                "counted",
                topic=topic,
                error=brief,
                at=place,
            )

    def clock_is_behind(self, topic: str) -> None:
        """Log that a pillow's clock is wrong."""
        self.notes.add(_pillow_of(topic), "clock-behind")
        if self._log_once.is_first("behind", topic):
            log.warning(
                "a pillow's clock is behind: it is shown with its newest known state; set its "
                "clock, or remove its retained state",
                topic=topic,
            )

    def over_limit(self, topic: str) -> None:
        """Log, once, that there are as many pillows as allowed."""
        self.notes.add(_pillow_of(topic), "over-limit")
        if self._log_once.is_first("over-limit"):
            log.warning(
                "GATEWAY_MAX_PILLOWS is reached: a new pillow replaces the one that has been "
                "silent for longest, or is refused where none is silent",
                topic=topic,
            )

    def clock_differs(self, seconds: float) -> None:
        """Log, once, that the wall clock of this machine is wrong, or the queue's."""
        if self._log_once.is_first("offset"):
            log.warning(
                "the clock of this machine differs from the queue's time; set it",
                queue_is_ahead_s=round(seconds, 1),
            )


def _pillow_of(topic: str) -> str:
    """Return the pillow of a topic that was parsed before: the level before the last."""
    return topic.rsplit("/", 2)[-2]
