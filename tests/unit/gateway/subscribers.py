"""Subscribers that keep every frame they were sent, and apply it as a page does."""

from collections.abc import Iterable
from typing import Protocol

import msgspec

from contract.cursors import Cursor, parse_cursor
from contract.frames import Removed, ServerFrame, Snapshot, Updates
from contract.motion import Motion
from contract.timestamps import parse_timestamp
from gateway.fanout.encoding import Encoding
from gateway.fanout.raw_send import NO_DESCRIPTOR
from gateway.fanout.subscriptions import Filter, Subscriber
from gateway.fanout.writes import Write
from tests.gateway import TEXT, parse_frames

_frame: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)


class Subscribable(Protocol):
    """The planner, or the dispatcher around it."""

    def subscribe(
        self,
        subscriber: Subscriber,
        filter: Filter,
        encoding: Encoding,
        resume_from: Cursor | None,
        /,
    ) -> None:
        """Send a subscriber a snapshot, and then every change."""

    def change_filter(self, subscriber: Subscriber, filter: Filter, /) -> None:
        """Send a subscriber other pillows from now on."""

    def pause(self, subscriber: Subscriber, /) -> None:
        """Send a subscriber nothing until it is resumed."""


class Client(Subscriber):
    """A subscriber on a WebSocket, with all that it was sent.

    While it is `full` it takes one more write and then is paused, as a transport pauses it.
    A snapshot without `recovered` replaces what it knows, with its last piece.
    """

    def __init__(
        self,
        fanout: Subscribable,
        filter: Filter = None,
        resume_from: Cursor | None = None,
        *,
        has_motion: bool = True,
    ) -> None:
        super().__init__(NO_DESCRIPTOR)
        self.has_motion = has_motion
        self.motion: list[tuple[str, str]] = []
        self.fanout = fanout
        self.wanted = filter
        self.full = False
        self.closed = False
        self.times_caught_up = 0
        self.writes: list[bytes] = []
        self.frames: list[ServerFrame] = []
        self.states: dict[str, dict[str, object]] = {}
        self.changes: list[tuple[str, object]] = []
        self.cursor = resume_from
        self.named: set[str] | None = None  # by the snapshot that is incomplete
        self.removes_unnamed = False
        fanout.subscribe(self, filter, Encoding.WEBSOCKET, resume_from)

    def on_caught_up(self, *, closing: bool) -> None:
        """Count the calls."""
        self.times_caught_up += 1
        self.closed = self.closed or closing

    def take_frames(self) -> list[ServerFrame]:
        """Return the frames since the last call."""
        frames, self.frames = self.frames, []
        return frames

    def subscribe(self, filter: Filter) -> None:
        """Change the filter; states and cursor belong to the filter before."""
        self.wanted = filter
        self.states = {}
        self.cursor = None
        self.named, self.removes_unnamed = None, False
        self.fanout.change_filter(self, filter)

    def write(self, data: bytes | memoryview, /) -> None:
        """Apply every frame of a write."""
        assert not self.is_paused, "written to while paused"
        data = data if isinstance(data, bytes) else bytes(data)
        self.writes.append(data)
        frames = parse_frames(b"\r\n\r\n" + data)
        assert sum(len(payload) for _, payload in frames) <= len(data)
        for opcode, payload in frames:
            assert opcode == TEXT
            self.apply(_frame.decode(payload))
        if self.full:
            self.fanout.pause(self)

    @property
    def is_complete(self) -> bool:
        """Whether it has a whole snapshot."""
        return self.named is None

    def apply(self, frame: ServerFrame) -> None:
        """Apply a frame as a page does."""
        self.frames.append(frame)
        if isinstance(frame, Snapshot):
            assert (frame.motion is msgspec.UNSET) == self.has_motion
            self._begin(frame)
        if isinstance(frame, Snapshot | Updates | Removed):
            cursor = parse_cursor(frame.cursor)
            assert cursor is not None
            assert self.cursor is None or cursor.offset >= self.cursor.offset, "backwards"
            self.cursor = cursor
        if isinstance(frame, Snapshot):
            for state in frame.pillows:
                # A full snapshot stands in place of what an earlier gateway knew, or this one
                # before it removed the pillow.
                is_named = self.named is not None and state["pillow"] in self.named
                self._put(state, is_comparable=frame.recovered or is_named)
            if not frame.more:
                self._end()
        elif isinstance(frame, Updates):
            for state in frame.pillows:
                self._put(state)
                self.changes.append((state["pillow"], state["at"]))
        elif isinstance(frame, Motion):
            self._add_motion(frame)
        elif isinstance(frame, Removed):
            for pillow in frame.pillows:
                self.states.pop(pillow, None)
                self.changes.append((pillow, None))

    def _add_motion(self, frame: Motion) -> None:
        """Note whose samples came; they belong to the state that it has."""
        assert not self.has_motion, "samples twice"
        for samples in frame.pillows:
            state = self.states[samples.pillow]
            assert (state["at"], state.get("seq")) == (samples.at, samples.seq)
            self.motion.append((samples.pillow, samples.at))

    def _begin(self, frame: Snapshot) -> None:
        if frame.continued:
            assert self.named is not None, "the rest of a snapshot that has not begun"
            return
        self.named = set() if self.named is None or not frame.recovered else self.named
        if not frame.recovered:
            self.removes_unnamed, self.cursor = True, None

    def _end(self) -> None:
        if self.removes_unnamed:
            assert self.named is not None
            self.states = {name: self.states[name] for name in self.states if name in self.named}
        self.named, self.removes_unnamed = None, False

    def _put(self, state: dict[str, object], *, is_comparable: bool = True) -> None:
        pillow = str(state["pillow"])
        assert self.has_motion or "motion" not in state
        assert self.wanted is None or pillow in self.wanted, "sent a pillow outside the filter"
        if self.named is not None:
            self.named.add(pillow)
        known = self.states.get(pillow)
        if known is not None and is_comparable:
            assert _order(state) >= _order(known), "a pillow went backwards"
        self.states[pillow] = state


def _order(state: dict[str, object]) -> tuple[int, int]:
    at_us, seq = parse_timestamp(str(state["at"])), state.get("seq", 0)
    assert at_us is not None
    assert isinstance(seq, int)
    return at_us, seq


def deliver(writes: Iterable[Write]) -> list[Write]:
    """Write what the planner yields, as the dispatcher does; return it."""
    done = []
    for write in writes:
        if write.data:
            for subscriber in write.subscribers:
                subscriber.write(write.data)
        if write.notify:
            for subscriber in write.subscribers:
                subscriber.on_caught_up(closing=write.closing)
        done.append(write)
    return done
