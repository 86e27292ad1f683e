"""The health of the broker: the pillows whose states it refuses, and why."""

import structlog

from runtime.health import OK
from runtime.log_repeats import LogRepeats

log = structlog.get_logger()


class BrokerHealth:
    """Tracks refused pillows, and logs once on the first refusal and once on the next success."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}
        self._repeats = LogRepeats()

    @property
    def state(self) -> str:
        """`ok`, or a refused pillow and the broker's reason, for readiness."""
        return next((f"{pillow}: {reason}" for pillow, reason in self._reasons.items()), OK)

    def reason(self, pillow: str) -> str | None:
        """Return why the broker refused the last state of a pillow; None if it did not."""
        return self._reasons.get(pillow)

    def is_refused(self, pillow: str) -> bool:
        """Return whether the broker refused the last state of a pillow."""
        return pillow in self._reasons

    def record_refusal(self, pillow: str, error: str) -> None:
        """Record that the broker refused a state."""
        if (repeats := self._repeats.due("refused", pillow)) is not None:
            log.error(
                "the broker refuses our states; retrying until it accepts them",
                pillow=pillow,
                error=error,
                **repeats,
            )
        self._reasons[pillow] = error

    def record_success(self, pillow: str) -> None:
        """Record that the broker confirmed a state."""
        self._reasons.pop(pillow, None)
        if self._repeats.is_over("refused", pillow):
            log.info("the broker accepts our states again", pillow=pillow)

    def forget(self, pillow: str) -> None:
        """Forget a pillow none of whose messages is in flight."""
        self._reasons.pop(pillow, None)
