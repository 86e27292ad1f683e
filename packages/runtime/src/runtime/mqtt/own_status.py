"""The session's own status: published again when the broker holds something else, and daily."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

log = structlog.get_logger()

_MAX_DELAY_S: Final = 60.0
"""The longest delay before `online` is published again. A status that stays right for as long
starts the delays anew."""


STATUS_EXPIRY_S: Final = 7 * 86_400
"""After how long a broker drops the status of a process that is gone, in seconds (MQTT 5). Where
instances are named after their containers, each leaves one."""

_REPORT_S: Final = 1.0
"""The delay of the log line, in seconds: a broker that stops publishes the last will of each
session before it ends the connections, and then the loss of the connection is what matters."""

_RENEWAL_S: Final = 86_400.0
"""How often `online` is published again, because it would expire."""


class OwnStatus:
    """Decides when `online` is published again, by a function that its owner gives.

    The status is contrary when the broker publishes the last will of a predecessor that died
    without closing its connection: that takes one and a half keepalives of its own.
    Each repetition waits twice as long as the one before, because a second process with the same
    instance name may publish `offline` at each of its restarts.
    """

    def __init__(self, topic: str, publish_online: Callable[[], None]) -> None:
        self._topic = topic
        self._publish_online = publish_online
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._delay_s = 0.0
        self._repeated_at = -_MAX_DELAY_S
        self._renewal = self._loop.call_later(_RENEWAL_S, self._renew)
        self._report: asyncio.TimerHandle | None = None
        self.repetitions = 0

    def contradicted(self) -> None:
        """Publish `online` again, now or after a delay."""
        if self._timer is not None:
            return
        if self._loop.time() - self._repeated_at >= max(_MAX_DELAY_S, 2 * self._delay_s):
            self._delay_s = 0.0
        self._timer = self._loop.call_later(self._delay_s, self._repeat)

    def cancel(self) -> None:
        """Publish nothing more, because the connection has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._report is not None:
            self._report.cancel()
        self._renewal.cancel()

    def _renew(self) -> None:
        self._renewal = self._loop.call_later(_RENEWAL_S, self._renew)
        self._publish_online()

    def _repeat(self) -> None:
        self._timer = None
        self._repeated_at = self._loop.time()
        self._delay_s = min(_MAX_DELAY_S, 2 * self._delay_s or 1.0)
        self.repetitions += 1
        if self.repetitions == 1:
            self._report = self._loop.call_later(_REPORT_S, self._log)
        self._publish_online()

    def _log(self) -> None:
        log.info(
            "status on the broker was not online; published again, as often as needed",
            topic=self._topic,
        )
