"""What a client knows, and what it sends on its connection: token, subscription, pings."""

import asyncio
import inspect
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from pillowcast.address import Address
from pillowcast.errors import FrameError
from pillowcast.frames import Frame, Goodbye, Pong, Refusal, Snapshot, parse_frame
from pillowcast.freshness import Connection, Times, connection_of
from pillowcast.pillow_state import Update
from pillowcast.retry_policy import RetryPolicy
from pillowcast.server_clock import ServerClock
from pillowcast.store import Store
from pillowcast.subscription import Pillows, Subscription, subscribe_frame
from pillowcast.tokens import renewal_delay_s
from pillowcast.web_socket import WebSocket

Token = str | Callable[[], str | Awaitable[str]]

_FIRST_PINGS_S: Final = (0.0, 1.0, 3.0)
_PING_INTERVAL_S: Final = 60.0
_FAULT_LOG_INTERVAL_S: Final = 60.0

logger = logging.getLogger("pillowcast")


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What the session calls after a change."""

    updates: Callable[[list[Update]], None]
    connection: Callable[[], None]
    watching: Callable[[], None]


class ClientSession:
    """Reads the frames of one connection after another."""

    def __init__(
        self,
        address: Address,
        subscription: Subscription,
        store: Store,
        token: Token | None,
        callbacks: Callbacks,
    ) -> None:
        self._address = address
        self._subscription = subscription
        self._store = store
        self._token = token
        self._callbacks = callbacks
        self._clock = ServerClock()
        self._socket: WebSocket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._gateway_error = ""
        self._fault_logged_s: float | None = None
        self._synced = False
        self._lost = False
        self.policy = RetryPolicy()
        self.invalid_frames = 0
        self.invalid_pillows = 0
        self.has_all = asyncio.Event()
        """Set while the present connection has brought all that was asked for."""

    @property
    def connection(self) -> Connection:
        """Whether the known states are live."""
        return connection_of(synced=self._synced, lost=self._lost, broker=self._store.broker)

    @property
    def times(self) -> Times:
        """The present."""
        now = _now_ms()
        offset = self._clock.offset_ms
        return Times(now, time.time() * 1000 if offset is None else now + offset)

    @property
    def round_trip_ms(self) -> float | None:
        """The shortest measured round trip."""
        return self._clock.round_trip_ms

    def subscribe(self, pillows: Pillows) -> None:
        """Subscribe to these pillows instead."""
        self._subscription.pillows = pillows
        self._request_if_due()

    # The methods that the link calls.

    @property
    def address(self) -> str:
        """The URL to show."""
        return self._address.shown

    async def url(self) -> str:
        """Return the URL of the next attempt, which is also the first request.

        Raises NotOpened if none can be had.
        """
        stream_url = await self._address.find()
        query = self._subscription.request_by_query(self._store.cursor)
        return f"{stream_url}?{query}" if query else stream_url

    def opened(self, socket: WebSocket) -> None:
        """Use a new connection: send the token first."""
        self._socket = socket
        self._gateway_error = ""
        self._clock = ServerClock()  # another machine may answer, with another clock
        if self._token is not None:
            self._start(self._send_tokens(socket, self._token))

    def closed(self) -> None:
        """Count no known state as live, and stop what the connection needed."""
        self._socket = None
        self._synced = False
        self._lost = True
        self.has_all.clear()
        if self._store.watching is not None:
            self._store.watching = None
            self._callbacks.watching()
        for task in self._tasks:
            task.cancel()

    def probe(self) -> None:
        """Send a ping."""
        if self._socket is not None:
            ping = {"type": "ping", "sent": round(_now_ms(), 2)}
            self._start(self._socket.send(json.dumps(ping)))

    def may_renew(self) -> bool:
        """Return whether another token can be sent in place of one that expired."""
        return self._synced and callable(self._token)

    def status_changed(self) -> None:
        """Report that the link's status has changed."""
        self._callbacks.connection()

    def explain(self, reason: str) -> str:
        """Return what the gateway said before it closed; `reason` if it said nothing."""
        return self._gateway_error or reason

    def received(self, message: str | bytes) -> None:
        """Apply a frame; one that is invalid is counted, and changes nothing."""
        try:
            frame = parse_frame(message, self._count_pillow)
        except FrameError as error:
            self._count_fault(error)
            return
        before, watching = self.connection, self._store.watching
        is_last = isinstance(frame, Snapshot) and self._answered(frame)
        self._observe(frame)
        if isinstance(frame, Goodbye):
            self.policy.set_reconnect_window(frame.reconnect_ms)
        if isinstance(frame, Refusal):
            self._gateway_error = frame.message
        updates = self._store.apply(frame, _now_ms(), is_last=is_last)
        if self._store.watching != watching:
            self._callbacks.watching()
        if self.connection != before:
            self._callbacks.connection()
        if updates:
            self._callbacks.updates(updates)
        if is_last:
            self.has_all.set()
        if isinstance(frame, Snapshot):
            self._request_if_due()

    def _answered(self, frame: Snapshot) -> bool:
        self._gateway_error = ""
        if not self._synced:
            self._synced = True
            self._start(self._ping_always())
        return self._subscription.answered(has_more=frame.more)

    def _observe(self, frame: Frame) -> None:
        if isinstance(frame, Pong):
            self._clock.observe_pong(frame.sent, frame.received, _now_ms())
            return
        sent = getattr(frame, "sent", None)
        if sent is not None and self._clock.observe(sent, _now_ms()):
            self.probe()

    def _request_if_due(self) -> None:
        if self._socket is None or not self._subscription.is_request_due:
            return
        self._start(self._socket.send(subscribe_frame(self._subscription.pillows)))
        self._subscription.requested()
        self.has_all.clear()

    async def _ping_always(self) -> None:
        """Ping close together at first, to measure the clock soon, then once a minute."""
        count = 0
        while True:
            delay_s = _FIRST_PINGS_S[count] if count < len(_FIRST_PINGS_S) else _PING_INTERVAL_S
            await asyncio.sleep(delay_s)
            self.probe()
            count += 1

    async def _send_tokens(self, socket: WebSocket, token: Token) -> None:
        """Send the token, and a new one before each expires."""
        while True:
            try:
                text = await _token_text(token)
            except Exception as error:
                socket.lose(f"no token: {error}")
                return
            await socket.send(json.dumps({"type": "token", "token": text}))
            delay_s = renewal_delay_s(text, time.time()) if callable(token) else None
            if delay_s is None:
                return
            await asyncio.sleep(delay_s)

    def _count_fault(self, error: FrameError) -> None:
        self.invalid_frames += 1
        self._log_fault(error)

    def _count_pillow(self, error: FrameError) -> None:
        self.invalid_pillows += 1
        self._log_fault(error)

    def _log_fault(self, error: FrameError) -> None:
        now_s = time.monotonic()
        if self._fault_logged_s is None or now_s - self._fault_logged_s >= _FAULT_LOG_INTERVAL_S:
            self._fault_logged_s = now_s
            frames, pillows = self.invalid_frames, self.invalid_pillows
            logger.warning(
                "ignored as invalid: %s; so far %d frames and %d pillows", error, frames, pillows
            )

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _token_text(token: Token) -> str:
    found = token() if callable(token) else token
    text = await found if inspect.isawaitable(found) else found
    if not isinstance(text, str):
        raise TypeError(f"token is {type(text).__name__}: pass or return a text")
    return text


def _now_ms() -> float:
    return time.monotonic() * 1000
