"""A connection to the gateway that is made again after a loss.

It opens and closes sockets and detects silence; retry_policy.py decides the delays. It does not
read the messages: the session does.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from pillowcast.errors import RefusedError
from pillowcast.retry_policy import TOO_MANY_REQUESTS, UNAUTHORIZED, RetryPolicy
from pillowcast.web_socket import Ending, NotOpened, Transport, WebSocket

SILENCE_S: Final = 25.0
"""After this time without a message a ping is sent: a gateway sends one at least every 20 s."""
PROBE_S: Final = 5.0
"""Within this time a message must arrive; otherwise the connection is lost."""
STABLE_AFTER_S: Final = 5.0
"""A connection that has received messages for this long resets the count of failed attempts."""

Phase = Literal["idle", "connecting", "open", "waiting", "stopped"]

logger = logging.getLogger("pillowcast")
_draw: Final = random.SystemRandom().random


@dataclass(frozen=True, slots=True)
class Status:
    """What the connection does, and why."""

    phase: Phase
    code: int | None = None
    """The close code that led to this phase, if there was one."""
    reason: str = ""
    """For a person."""
    retry_in_s: float | None = None
    """How long until the next attempt, in the phase `waiting`."""


class Session(Protocol):
    """What the link needs of the object that reads the messages."""

    @property
    def address(self) -> str:
        """The URL to show."""

    async def url(self) -> str:
        """Return the URL of the next attempt. Raises NotOpened."""

    def opened(self, socket: WebSocket) -> None:
        """A connection is open."""

    def received(self, message: str | bytes) -> None:
        """A message arrived."""

    def probe(self) -> None:
        """Send a message that the gateway answers."""

    def closed(self) -> None:
        """The connection has ended."""

    def may_renew(self) -> bool:
        """Return whether another token can be sent in place of one that expired."""

    def status_changed(self) -> None:
        """The link's status has changed."""

    def explain(self, reason: str) -> str:
        """Return what the gateway said before the end; `reason` if it said nothing."""


class Link:
    """Keeps one connection; `run` ends only by RefusedError or when it is cancelled."""

    def __init__(
        self,
        session: Session,
        policy: RetryPolicy,
        transport: Transport,
        draw: Callable[[], float] = _draw,
    ) -> None:
        self._session = session
        self._policy = policy
        self._transport = transport
        self._draw = draw
        self._status = Status("idle")
        self._retry_at_s = 0.0
        self._wake = asyncio.Event()
        self._heard_s = 0.0
        self._first_heard_s: float | None = None
        self._is_outage_logged = False
        self.opened = 0
        """How many connections were opened."""

    @property
    def status(self) -> Status:
        """What it does now."""
        status = self._status
        if status.phase != "waiting":
            return status
        left = max(0.0, self._retry_at_s - _now_s())
        return Status(status.phase, status.code, status.reason, left)

    def wake(self) -> None:
        """End a wait for the next attempt, but not the one after too many requests."""
        if self._status.phase == "waiting" and self._status.code != TOO_MANY_REQUESTS:
            self._wake.set()

    async def run(self) -> None:
        """Connect, and again after each loss. Raises RefusedError."""
        try:
            while True:
                self._policy.start_attempt()
                self._set(Status("connecting"))
                ending = await self._attempt()
                reason = self._session.explain(ending.reason)
                may_renew = ending.code == UNAUTHORIZED and self._session.may_renew()
                self._session.closed()
                if ending.code is not None and self._policy.is_final(ending.code) and not may_renew:
                    self._set(Status("stopped", ending.code, reason))
                    raise RefusedError(ending.code, reason)
                delay_s = self._policy.fail(ending.code, self._draw(), ending.asked_ms) / 1000
                await self._wait(Status("waiting", ending.code, reason), delay_s)
        except asyncio.CancelledError:
            self._session.closed()
            self._set(Status("idle"))
            raise

    async def _wait(self, status: Status, delay_s: float) -> None:
        self._wake.clear()
        self._retry_at_s = _now_s() + delay_s
        self._set(status)
        if not self._is_outage_logged:
            self._is_outage_logged = True
            logger.warning(
                "no connection to %s: %s; next attempt in %.1f s",
                self._session.address,
                status.reason,
                delay_s,
            )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._wake.wait()

    async def _attempt(self) -> Ending:
        """Connect, and read until the connection ends."""
        try:
            socket = await WebSocket.open(await self._session.url(), self._transport)
        except NotOpened as error:
            return error.ending
        self.opened += 1
        self._heard_s = _now_s()
        self._first_heard_s = None
        watch = asyncio.create_task(self._watch(socket))
        try:
            self._set(Status("open"))
            self._session.opened(socket)
            async for message in socket.messages():
                self._note_message()
                self._session.received(message)
        finally:
            watch.cancel()
            await socket.close()
        first = self._first_heard_s
        # From the first message, because a gateway that accepts and then drops gives no service.
        if first is not None and _now_s() - first >= STABLE_AFTER_S:
            self._policy.reset_attempts()
        return socket.ending

    def _note_message(self) -> None:
        self._heard_s = _now_s()
        if self._first_heard_s is not None:
            return
        self._first_heard_s = self._heard_s
        if self._is_outage_logged:
            self._is_outage_logged = False
            logger.info("connected to %s", self._session.address)

    async def _watch(self, socket: WebSocket) -> None:
        """Ping a silent gateway; without an answer, end the connection.

        A program that blocked its event loop reads the messages that waited before that.
        """
        while True:
            silent_s = _now_s() - self._heard_s
            if silent_s < SILENCE_S:
                await asyncio.sleep(SILENCE_S - silent_s)
                continue
            asked_s = self._heard_s
            self._session.probe()
            await asyncio.sleep(PROBE_S)
            if self._heard_s == asked_s:
                socket.lose("nothing was heard")
                return

    def _set(self, status: Status) -> None:
        self._status = status
        self._session.status_changed()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
