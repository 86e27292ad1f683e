"""Another process with the instance name of this one, known by the marks that it publishes."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import structlog

from runtime.log_repeats import LogRepeats
from runtime.mqtt.config import SessionConfig
from runtime.mqtt.errors import BrokerLost
from runtime.mqtt.packets import Message

log = structlog.get_logger()

ANSWER_S: Final = 5.0
"""The delay before a mark of another process is answered, in seconds. A process that this one
replaces, or that replaces it, is gone by then."""

QUICK_ANSWERS: Final = 3
"""How many marks are answered after ANSWER_S, so that both notice soon."""

SLOW_ANSWER_S: Final = 60.0
"""The delay of later answers, in seconds, which keep the twin known."""

FORGOTTEN_S: Final = 180.0
"""After how long without a mark of it a twin is gone, in seconds."""

TWIN: Final = (
    "another process uses this instance name, so that both write the same status; set INSTANCE to "
    "another name in one"
)


class TwinWatch:
    """Notices a twin: another session on the mark topic, whose marks come again and again.

    A session publishes marks at each connection. It answers those of another session with one of
    its own, so that both notice for as long as both are connected.
    """

    def __init__(
        self, config: SessionConfig, token: str, publish_mark: Callable[[bytes], object]
    ) -> None:
        """`token` begins the marks of this session; `publish_mark` may raise BrokerLost."""
        self._config = config
        self._token = token.encode()
        self._publish_mark = publish_mark
        self._timer: asyncio.TimerHandle | None = None
        self._first_s: float | None = None
        self._last_s = 0.0
        self._answers = 0
        self._repeats = LogRepeats()

    @property
    def is_present(self) -> bool:
        """Whether another process uses the instance name now."""
        if self._first_s is None or self._last_s - self._first_s < ANSWER_S:
            return False
        return asyncio.get_running_loop().time() - self._last_s < FORGOTTEN_S

    def receive(self, mark: Message) -> None:
        """Handle a message on the mark topic; a retained one may be of a process that has ended."""
        if not mark.payload or mark.retained or mark.payload.startswith(self._token):
            return
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        if self._first_s is None or now_s - self._last_s >= FORGOTTEN_S:
            self._first_s = now_s
            self._answers = 0
        self._last_s = now_s
        if self.is_present and (repeats := self._repeats.due("twin")) is not None:
            names = {"service": self._config.service, "instance": self._config.instance}
            log.warning(TWIN, **names, **repeats)
        if self._timer is None:
            delay_s = ANSWER_S if self._answers < QUICK_ANSWERS else SLOW_ANSWER_S
            self._timer = loop.call_later(delay_s, self._answer)

    def cancel(self) -> None:
        """Answer nothing more, because the connection has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _answer(self) -> None:
        self._timer = None
        self._answers += 1
        with contextlib.suppress(BrokerLost):
            self._publish_mark(self._token + b" answer")
