"""Fan-out: which frames each browser is to get, decided without a socket, a task or a clock.

Changes are gathered and flushed together: everyone with the same interest shares one frame.
A listener that keeps up gets every change; one that lags gets, when it next asks, the newest state
of each pillow that changed since: what waits for it never grows with what it missed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Final

from contract.cursors import Cursor
from contract.frames import (
    Broker,
    Goodbye,
    Heartbeat,
    ServerFrame,
    Status,
    encode_frame,
    encode_removed,
    encode_snapshot,
    encode_updates,
)
from gateway.hub import Change, Hub

FRAME_BYTES: Final = 65_536
"""No frame of updates is longer; more becomes several."""

BACKLOG_BYTES: Final = 262_144
"""A listener for whom more than this waits is lagging."""

_ENVELOPE_BYTES: Final = 256

Interest = frozenset[str] | None
"""Which pillows a listener wants; None means all."""


class Frame:
    """One frame, shared by everyone who gets it. `cursor` is None where it moves no cursor."""

    def __init__(
        self,
        data: bytes,
        cursor: Cursor | None = None,
        *,
        updates: int = 0,
        recovered: bool = False,
    ) -> None:
        self.data = data
        self.cursor = cursor
        self.updates = updates
        self.recovered = recovered

    @cached_property
    def text(self) -> str:
        """The frame as a WebSocket text message."""
        return self.data.decode()

    @cached_property
    def event(self) -> bytes:
        """The frame as a Server-Sent Event; its id is the cursor."""
        # A state keeps the line breaks it came with; in an event each line is a field of its own.
        lines = self.data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\ndata: ")
        mark = b"" if self.cursor is None else b"id: %b\n" % str(self.cursor).encode()
        return b"%bdata: %b\n\n" % (mark, lines)


class Listener:
    """What waits for one browser. `wake` is called when something starts to wait."""

    def __init__(self, interest: Interest, since: Cursor | None, wake: Callable[[], None]) -> None:
        self.interest = interest
        self.since = since
        self.wake = wake
        self.closing: int | None = None
        self.begun = False
        self.lagging = False
        self._taken = 0
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._said: dict[str, Frame] = {}

    def begin_again(self, interest: Interest) -> None:
        """Change what the browser wants; a whole snapshot of it comes next."""
        self.interest = interest
        self.since = None
        self.begun = False
        self._drop()
        self.wake()

    def offer(self, frames: Iterable[Frame]) -> None:
        """Add frames of changes, unless the listener lags or has yet to take its snapshot."""
        if self.reads_hub:
            return
        for frame in frames:
            self._frames.append(frame)
            self._bytes += len(frame.data)
        if self._bytes > BACKLOG_BYTES:
            self.lagging = True
            self._drop()
        self.wake()

    def say(self, kind: str, frame: Frame) -> None:
        """Add a frame that carries no state; of each kind only the newest waits."""
        self._said[kind] = frame
        self.wake()

    def close(self, code: int) -> None:
        """Ask for the connection to be closed with `code` after what waits has been sent."""
        self.closing = code
        self.wake()

    @property
    def reads_hub(self) -> bool:
        """Whether the next `take` is made from the hub and not from the frames that wait."""
        return self.lagging or not self.begun

    def take(self, hub: Hub, broker: Broker, now_ms: int) -> list[Frame]:
        """Return everything that waits, in order, as if it were sent: it is not returned again.

        Where `reads_hub`, every change in the hub must have been offered before.
        """
        taken: list[Frame] = []
        if self.lagging and not hub.covers(hub.cursor._replace(offset=self._taken)):
            self.since = None  # some removals that it missed are forgotten: it begins again
            self.begun = False
        if not self.begun:
            taken.extend(self._snapshot(hub, broker, now_ms))
            self.begun = True
            self.lagging = False
            self._said.pop("status", None)  # the snapshot says it
        elif self.lagging:
            taken.extend(frames_of(_wanted(hub.after(self._taken), self.interest), hub, now_ms))
            self.lagging = False
        else:
            taken.extend(self._frames)
        if taken and taken[-1].cursor is not None:
            self._taken = taken[-1].cursor.offset
        self._drop()
        if self._said:
            taken.extend(self._said.values())
            self._said = {}
        return taken

    def _snapshot(self, hub: Hub, broker: Broker, now_ms: int) -> Iterator[Frame]:
        recovered = self.since is not None and hub.covers(self.since)
        gone: list[str] = []
        if recovered:
            assert self.since is not None  # noqa: S101 - for the type checker
            changes = list(_wanted(hub.after(self.since.offset), self.interest))
            states = [change.payload for change in changes if change.payload is not None]
            gone = [change.pillow for change in changes if change.payload is None]
        elif self.interest is None:
            states = list(hub.states())
        else:
            found = (hub.state(pillow) for pillow in sorted(self.interest))
            states = [state for state in found if state is not None]
        cursor = hub.cursor
        yield Frame(
            encode_snapshot(
                cursor, recovered=recovered, broker=broker, sent_ms=now_ms, pillows=states
            ),
            cursor,
            updates=len(states),
            recovered=recovered,
        )
        if gone:
            yield Frame(encode_removed(cursor, gone), cursor, updates=len(gone))

    def _drop(self) -> None:
        self._frames.clear()
        self._bytes = 0


def _wanted(changes: Iterable[Change], interest: Interest) -> Iterator[Change]:
    return (change for change in changes if interest is None or change.pillow in interest)


def frames_of(changes: Iterable[Change], hub: Hub, now_ms: int) -> Iterator[Frame]:
    """Put changes into frames, in order: updates together up to a frame's size, removals too."""
    epoch = hub.cursor.epoch
    states: list[bytes] = []
    gone: list[str] = []
    size, offset = _ENVELOPE_BYTES, 0

    def finish() -> Frame:
        nonlocal states, gone, size
        cursor = Cursor(epoch, offset)
        if states:
            frame = Frame(
                encode_updates(cursor, sent_ms=now_ms, pillows=states), cursor, updates=len(states)
            )
        else:
            frame = Frame(encode_removed(cursor, gone), cursor, updates=len(gone))
        states, gone, size = [], [], _ENVELOPE_BYTES
        return frame

    for change in changes:
        piece = len(change.payload if change.payload is not None else change.pillow) + 3
        other_kind = bool(gone) if change.payload is not None else bool(states)
        if (states or gone) and (other_kind or size + piece > FRAME_BYTES):
            yield finish()
        if change.payload is None:
            gone.append(change.pillow)
        else:
            states.append(change.payload)
        size += piece
        offset = change.offset
    if states or gone:
        yield finish()


class Fanout:
    """Everyone who listens, and the changes on their way to them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._pending: list[Change] = []
        self._to_all: set[Listener] = set()
        self._to_one: dict[str, set[Listener]] = {}
        self._listeners: set[Listener] = set()
        self._goodbye: tuple[Frame, int] | None = None
        self.broker: Broker = "offline"

    def __len__(self) -> int:
        return len(self._listeners)

    def attach(self, listener: Listener) -> None:
        """Start to gather for a listener; its snapshot comes when it first takes."""
        self._listeners.add(listener)
        self._index(listener)
        listener.wake()
        if self._goodbye is not None:
            self._dismiss(listener, *self._goodbye)

    def detach(self, listener: Listener) -> None:
        """Forget a listener."""
        self._listeners.discard(listener)
        self._unindex(listener)

    def subscribe(self, listener: Listener, interest: Interest) -> None:
        """Change what a listener wants."""
        self._unindex(listener)
        listener.begin_again(interest)
        self._index(listener)

    def add(self, change: Change) -> bool:
        """Gather a change for the next flush; says whether it is the first since the last one."""
        self._pending.append(change)
        return len(self._pending) == 1

    def take(self, listener: Listener, now_ms: int) -> list[Frame]:
        """Return everything that waits for a listener."""
        if listener.reads_hub:
            # What it reads from the hub must not reach it a second time, as news.
            self.flush(now_ms)
        return listener.take(self._hub, self.broker, now_ms)

    def flush(self, now_ms: int) -> int:
        """Offer what was gathered to everyone who wants it; returns how many changes there were."""
        changes, self._pending = self._pending, []
        if not changes:
            return 0  # a snapshot was first; nobody is woken for nothing
        if self._to_all:
            frames = list(frames_of(changes, self._hub, now_ms))
            for listener in self._to_all:
                listener.offer(frames)
        if self._to_one:
            for interest, group in self._interested(changes).items():
                frames = list(frames_of(_wanted(changes, interest), self._hub, now_ms))
                for listener in group:
                    listener.offer(frames)
        return len(changes)

    def say_broker(self, broker: Broker) -> None:
        """Tell everyone whether the broker is there."""
        self.broker = broker
        self._say("status", Status(broker))

    def say_heartbeat(self, now_ms: int) -> None:
        """Tell everyone that the connection lives."""
        self._say("heartbeat", Heartbeat(now_ms))

    def say_goodbye(self, reconnect_ms: tuple[int, int], code: int) -> None:
        """Tell everyone to come back later, also who comes from now on, and close with `code`."""
        self._goodbye = Frame(encode_frame(Goodbye(reconnect_ms))), code
        for listener in self._listeners:
            self._dismiss(listener, *self._goodbye)

    def _dismiss(self, listener: Listener, goodbye: Frame, code: int) -> None:
        listener.say("goodbye", goodbye)
        listener.close(code)

    def _say(self, kind: str, said: ServerFrame) -> None:
        frame = Frame(encode_frame(said))
        for listener in self._listeners:
            listener.say(kind, frame)

    def _interested(self, changes: Iterable[Change]) -> dict[frozenset[str], set[Listener]]:
        groups: dict[frozenset[str], set[Listener]] = {}
        for pillow in {change.pillow for change in changes}:
            for listener in self._to_one.get(pillow, ()):
                if listener.interest is not None:
                    groups.setdefault(listener.interest, set()).add(listener)
        return groups

    def _index(self, listener: Listener) -> None:
        if listener.interest is None:
            self._to_all.add(listener)
            return
        for pillow in listener.interest:
            self._to_one.setdefault(pillow, set()).add(listener)

    def _unindex(self, listener: Listener) -> None:
        self._to_all.discard(listener)
        for pillow in listener.interest or ():
            group = self._to_one.get(pillow)
            if group is not None:
                group.discard(listener)
                if not group:
                    del self._to_one[pillow]
