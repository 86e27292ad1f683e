"""The client of a gateway: `connect`."""

import asyncio
import logging
import ssl as tls
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import Literal, Self

from pillowcast.address import Address, Url
from pillowcast.errors import PillowcastError, RefusedError
from pillowcast.frames import Broker
from pillowcast.freshness import Connection, Freshness, freshness_of, state_to_show
from pillowcast.link import Link, Status
from pillowcast.pillow_state import State, Update
from pillowcast.reader import Reader
from pillowcast.session import Callbacks, ClientSession, Token
from pillowcast.store import Store
from pillowcast.subscription import Subscription, check_pillows
from pillowcast.web_socket import Transport

logger = logging.getLogger("pillowcast")


@dataclass(frozen=True, slots=True)
class Options:
    """The arguments of `connect`, which describes them."""

    url: Url
    pillows: Sequence[str] | None = None
    token: Token | None = None
    cursor: str | None = None
    on_connection: "Callable[[Client], None] | None" = None
    on_watching: "Callable[[Client], None] | None" = None
    motion: Literal["all", "none"] = "all"
    transport: Transport = field(default_factory=Transport)


def connect(
    url: Url,
    pillows: Sequence[str] | None = None,
    *,
    token: Token | None = None,
    cursor: str | None = None,
    motion: Literal["all", "none"] = "all",
    on_connection: "Callable[[Client], None] | None" = None,
    on_watching: "Callable[[Client], None] | None" = None,
    ssl: tls.SSLContext | None = None,
    proxy: str | Literal[True] | None = True,
) -> "Client":
    """Return a client, which connects at `async with` or `async for`.

    `url`: the gateway, as `https://host/`, or a function that returns it, or a coroutine function;
    a function is called for each connection. `pillows`: ids; all by default. `token`: a text, or
    such a function, which is also called again before the token expires. `cursor`: that of an
    earlier client of the same gateway and pillows, to receive only what changed after it.
    `motion`: "none" for states without accelerometer samples, which may be most of their bytes.
    `on_connection`: is called with the client when `connection` or `status` has changed.
    `on_watching`: the same of `watching`. `ssl`: which certificates are trusted. `proxy`: a proxy's
    URL; True for that of the environment, None for none.

    Raises TypeError or ValueError with what to write instead.
    """
    transport = Transport(ssl, proxy)
    return Client(
        Options(url, pillows, token, cursor, on_connection, on_watching, motion, transport)
    )


def _check(options: Options) -> None:
    token, cursor = options.token, options.cursor
    if token is not None and not isinstance(token, str) and not callable(token):
        kind = type(token).__name__
        raise TypeError(f"token is {kind}: pass a text, or a function that returns one")
    if cursor is not None and not isinstance(cursor, str):
        kind = type(cursor).__name__
        raise TypeError(f"cursor is {kind}: pass the cursor of a client, or None")
    if options.motion not in ("all", "none"):
        raise ValueError(f'motion is {options.motion!r}: pass "all" or "none"')


class Client:
    """The live state of pillows. Belongs to one event loop."""

    def __init__(self, options: Options) -> None:
        _check(options)
        self._on_connection = options.on_connection
        self._on_watching = options.on_watching
        self._store = Store(options.cursor)
        self._session = ClientSession(
            Address(options.url),
            Subscription(
                check_pillows(options.pillows),
                has_cursor=options.cursor is not None,
                has_motion=options.motion == "all",
            ),
            self._store,
            options.token,
            Callbacks(
                self._push,
                lambda: self._report(self._on_connection),
                lambda: self._report(self._on_watching),
            ),
        )
        self._link = Link(self._session, self._session.policy, options.transport)
        self._task: asyncio.Task[None] | None = None
        self._is_entered = False
        self._readers: set[Reader] = set()
        self._superseded = 0
        self._ended: asyncio.Event = asyncio.Event()

    @property
    def pillows(self) -> Mapping[str, State]:
        """The newest state of each pillow by id, as it changes."""
        return MappingProxyType(self._store.pillows)

    @property
    def connection(self) -> Connection:
        """Whether the known states are live."""
        return self._session.connection

    @property
    def status(self) -> Status:
        """What the connection does and why, and when the next attempt is."""
        return self._link.status

    @property
    def broker(self) -> Broker | None:
        """Whether the gateway is connected to its broker, as it said last; None before."""
        return self._store.broker

    @property
    def cursor(self) -> str | None:
        """The position in the gateway's stream, from which another client can resume."""
        return self._store.cursor

    @property
    def is_loading(self) -> bool:
        """Whether states are still to come, of a fleet that is too large for one frame."""
        return self._store.is_loading

    @property
    def is_retained(self) -> bool:
        """Whether the broker delivers the states that it retains."""
        return self._store.retained

    @property
    def watching(self) -> int | None:
        """How many clients the gateway has; None while it is not connected, or does not say."""
        return self._store.watching

    @property
    def round_trip_ms(self) -> float | None:
        """The shortest measured round trip to the gateway; None before the first."""
        return self._session.round_trip_ms

    @property
    def superseded(self) -> int:
        """How many updates slow loops did not receive, because a newer one replaced them."""
        return self._superseded + sum(one.superseded for one in self._readers)

    @property
    def invalid_frames(self) -> int:
        """How many invalid frames were ignored."""
        return self._session.invalid_frames

    @property
    def invalid_pillows(self) -> int:
        """How many pillows in frames were ignored, because they were invalid."""
        return self._session.invalid_pillows

    @property
    def connections(self) -> int:
        """How many connections were opened so far."""
        return self._link.opened

    def freshness(self, pillow: str) -> Freshness:
        """Return `live`, `quiet` or `notconnected` while the connection is live.

        Otherwise `stale`; `unknown` of a pillow without a state.
        """
        is_live = self.connection == "live"
        return freshness_of(self._store, pillow, is_live=is_live, times=self._session.times)

    def state_to_show(self, pillow: str) -> str:
        """Return the state for a display: `notconnected` where the known one may be over."""
        return state_to_show(self._store, pillow, self.freshness(pillow))

    def age_s(self, pillow: str) -> float | None:
        """Return how long ago the state of a pillow was true, by the gateway's clock."""
        sign = self._store.sign(pillow)
        return None if sign is None else (self._session.times.gateway - sign.as_of) / 1000

    def subscribe(self, pillows: Sequence[str] | None) -> None:
        """Follow these pillows instead; None for all."""
        self._session.subscribe(check_pillows(pillows))

    def retry(self) -> None:
        """Try again now instead of after the delay: the network is back."""
        self._link.wake()

    async def wait_ready(self, timeout_s: float | None = None) -> None:
        """Wait until the states of all pillows that were asked for are known.

        Raises RefusedError, and TimeoutError with what is in the way.
        """
        self._open()
        ready = asyncio.create_task(self._session.has_all.wait())
        ended = asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait((ready, ended), timeout=timeout_s, return_when="FIRST_COMPLETED")
        finally:
            ready.cancel()
            ended.cancel()
        if self._ended.is_set():
            raise self._failure() or PillowcastError("the client is closed")
        if not self._session.has_all.is_set():
            reason = self.status.reason or f"it is {self.status.phase}"
            address = self._session.address
            raise TimeoutError(f"no states from {address} within {timeout_s} s: {reason}")

    async def close(self) -> None:
        """Disconnect; every loop ends."""
        task = self._task
        if task is None:
            return
        task.cancel()
        await asyncio.wait((task,))
        self._task = None

    async def __aenter__(self) -> Self:
        self._is_entered = True
        self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_entered = False
        await self.close()

    async def __aiter__(self) -> AsyncGenerator[Update, None]:
        """Every update, beginning with the known states. Raises RefusedError."""
        self._open()
        reader = Reader()
        known = list(self._store.pillows.values())
        for index, state in enumerate(known):
            cursor = self._store.cursor if index == len(known) - 1 else None
            reader.push(Update(state.pillow, state, None, cursor))
        if self._ended.is_set():
            reader.end(self._failure())
        self._readers.add(reader)
        try:
            while (update := await reader.next()) is not None:
                yield update
        finally:
            self._readers.discard(reader)
            self._superseded += reader.superseded
            if not self._is_entered and not self._readers:
                await self.close()

    def _open(self) -> None:
        if self._task is not None:
            return
        self._ended.clear()
        self._task = asyncio.create_task(self._link.run(), name="pillowcast")
        self._task.add_done_callback(self._end)

    def _failure(self) -> BaseException | None:
        task = self._task
        if task is None or not task.done() or task.cancelled():
            return None
        return task.exception()

    def _end(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, RefusedError):
            logger.error("%s", error)
        elif error is not None:
            logger.error("the client has failed", exc_info=error)
        self._ended.set()
        for reader in self._readers:
            reader.end(error)

    def _push(self, updates: list[Update]) -> None:
        for reader in self._readers:
            for update in updates:
                reader.push(update)

    def _report(self, listener: "Callable[[Client], None] | None") -> None:
        if listener is None:
            return
        try:
            listener(self)
        except Exception:
            logger.exception("on_connection or on_watching has failed")
