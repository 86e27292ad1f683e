"""Client trace: what one client is sent and why, while an operator asks for it.

A trace begins with the first request for it and ends TRACE_S after the last one, so that nothing is
noted of anybody while nobody looks.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from gateway.fanout.dispatcher import Dispatcher
from gateway.fanout.subscriptions import Subscriber
from gateway.fanout.writes import Kind, Write
from gateway.ops.frame_texts import frame_texts
from runtime.clocks import monotonic_s, unix_ms

TRACE_S: Final = 15.0
"""How long a trace goes on after the last request for it, in seconds."""

MAX_TRACES: Final = 4
MAX_EVENTS: Final = 256
MAX_TEXT: Final = 2_000
"""How many characters of a frame an event has."""

LONG_POLL_S: Final = 5.0
"""How long a request waits for the next event, in seconds."""

_REASONS: Final[dict[Kind, str]] = {
    "update": "pillows that it follows have changed",
    "motion": "samples that came with a change, of pillows whose motion it asked for",
    "snapshot": "it has nothing yet: it came without a cursor, with one that is not covered any "
    "more, or asked for other pillows",
    "recovered": "it came back with a cursor that is covered: only what changed after it",
    "catch_up": "it reads again: the newest state of each pillow that changed meanwhile",
    "next_piece": "the next piece of a snapshot or catch-up, because it has taken the last one",
    "notice": "the broker was lost or is back, or this gateway stops",
}


class TraceEvent(msgspec.Struct, frozen=True):
    """Something that a client was sent, or that it is skipped; `at_ms` in Unix milliseconds."""

    number: int
    at_ms: int
    what: str
    why: str
    bytes: int = 0
    pillows: int = 0
    frames: list[str] = []


class _Trace:
    """The last events of one client."""

    def __init__(self) -> None:
        self.events: deque[TraceEvent] = deque(maxlen=MAX_EVENTS)
        self.ends_s = 0.0
        self.number = 0
        self.changed = asyncio.Event()
        self.has_left = False

    def add(
        self, what: str, why: str, size: int = 0, pillows: int = 0, frames: Sequence[str] = ()
    ) -> None:
        self.number += 1
        self.events.append(
            TraceEvent(self.number, unix_ms(), what, why, size, pillows, list(frames))
        )
        self.changed.set()


class TooManyTraces(Exception):
    """As many clients are traced as may be."""


class ClientTraces:
    """The traces under way; implements the dispatcher's Tap, and is there only meanwhile."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._traces: dict[Subscriber, _Trace] = {}

    async def events_after(self, client: Subscriber, number: int) -> list[TraceEvent]:
        """Return what happened to a client after an event, or soon; raises TooManyTraces."""
        trace = self._of(client)
        if trace.number <= number:
            trace.changed.clear()
            try:
                async with asyncio.timeout(LONG_POLL_S):
                    await trace.changed.wait()
            except TimeoutError:
                return []
        return [one for one in trace.events if one.number > number]

    def departed(self, number: int) -> list[Subscriber]:
        """Return the clients that have left and to which something happened after an event."""
        self._end_old()
        return [
            client
            for client, trace in self._traces.items()
            if trace.has_left and trace.number > number
        ]

    def _of(self, client: Subscriber) -> _Trace:
        self._end_old()
        trace = self._traces.get(client)
        if trace is None:
            if len(self._traces) >= MAX_TRACES:
                raise TooManyTraces
            trace = self._traces[client] = _Trace()
        trace.ends_s = monotonic_s() + TRACE_S
        self._dispatcher.tap = self
        asyncio.get_running_loop().call_later(TRACE_S + 0.1, self._end_old)
        return trace

    def wrote(self, write: Write) -> None:
        """Note a write to a client that is traced."""
        for client, trace in self._in(write):
            assert client.group is not None, "a write to a client that is not subscribed"
            texts = frame_texts(write.data, client.group.encoding)
            trace.add(
                write.kind,
                _REASONS[write.kind],
                len(write.data),
                write.updates,
                [one[:MAX_TEXT] for one in texts],
            )

    def paused(self, subscriber: Subscriber, *, is_paused: bool) -> None:
        """Note that a client is skipped, or not any more."""
        trace = self._traces.get(subscriber)
        if trace is not None and is_paused:
            trace.add("paused", "it does not read: its system takes no more, so it is skipped")
        elif trace is not None:
            trace.add("resumed", "its system takes more: what it missed follows")

    def left(self, subscriber: Subscriber) -> None:
        """Note that a client is sent nothing any more."""
        trace = self._traces.get(subscriber)
        if trace is not None and not trace.has_left:
            trace.has_left = True
            trace.add("left", "its connection ends")

    def _in(self, write: Write) -> Iterator[tuple[Subscriber, _Trace]]:
        for client, trace in self._traces.items():
            if client.group is not None and client in write.subscribers:
                yield client, trace

    def _end_old(self) -> None:
        now_s = monotonic_s()
        for client in [one for one, trace in self._traces.items() if trace.ends_s <= now_s]:
            del self._traces[client]
        if not self._traces:
            self._dispatcher.tap = None
