"""Listeners that remember everything they were given, and read it as a page does."""

from collections.abc import Iterable

import msgspec

from contract.cursors import Cursor, parse_cursor
from contract.frames import Removed, ServerFrame, Snapshot, Updates
from gateway.fanout.encoding import Encoding
from gateway.fanout.planner import Planner, Write
from gateway.fanout.raw_send import CLOSED_SOCKET
from gateway.fanout.subscriptions import Filter, Subscriber
from tests.gateway import TEXT, parse_frames

_frame: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)


class Client(Subscriber):
    """A subscriber on a WebSocket, and all it was ever given.

    When it is `full` it takes one more write and then says that it does not read.
    """

    def __init__(self, to: Planner, filter: Filter = None, since: Cursor | None = None) -> None:
        super().__init__(CLOSED_SOCKET)
        self.planner = to
        self.filter = filter
        self.full = False
        self.closed = False
        self.calls_back = 0
        self.writes: list[bytes] = []
        self.frames: list[ServerFrame] = []
        self.states: dict[str, dict[str, object]] = {}
        self.changes: list[tuple[str, object]] = []
        self.cursor = since
        to.subscribe(self, filter, Encoding.WEBSOCKET, since)

    def on_caught_up(self, *, closing: bool) -> None:
        """Note that it was called back."""
        self.calls_back += 1
        self.closed = self.closed or closing

    def news(self) -> list[ServerFrame]:
        """The frames since it was last asked."""
        frames, self.frames = self.frames, []
        return frames

    def wants(self, filter: Filter) -> None:
        """Ask for something else; what it knows, and where it is, was of what it asked before."""
        self.filter = filter
        self.states = {}
        self.cursor = None
        self.planner.change_filter(self, filter)

    def write(self, data: bytes | memoryview) -> None:
        """Take everything, and read it."""
        assert not self.is_paused, "written to while it did not read"
        data = bytes(data)
        self.writes.append(data)
        taken = parse_frames(b"\r\n\r\n" + data)
        assert sum(len(payload) for _, payload in taken) <= len(data)
        for opcode, payload in taken:
            assert opcode == TEXT
            self._apply(_frame.decode(payload))
        if self.full:
            self.planner.pause(self)

    def _apply(self, message: ServerFrame) -> None:
        self.frames.append(message)
        if isinstance(message, Snapshot | Updates | Removed):
            cursor = parse_cursor(message.cursor)
            assert cursor is not None
            assert self.cursor is None or cursor.offset >= self.cursor.offset, "backwards"
            self.cursor = cursor
        if isinstance(message, Snapshot):
            if not message.recovered:
                self.states = {}
            for state in message.pillows:
                self._see(state)
        elif isinstance(message, Updates):
            for state in message.pillows:
                self._see(state)
                self.changes.append((state["pillow"], state["at"]))
        elif isinstance(message, Removed):
            for pillow in message.pillows:
                self.states.pop(pillow, None)
                self.changes.append((pillow, None))

    def _see(self, state: dict[str, object]) -> None:
        pillow = str(state["pillow"])
        assert self.filter is None or pillow in self.filter, "nobody asked"
        known = self.states.get(pillow)
        if known is not None:
            assert str(state["at"]) >= str(known["at"]), "a pillow went backwards"
        self.states[pillow] = state


def deliver(writes: Iterable[Write]) -> list[Write]:
    """Write what is to be written, as the gateway does."""
    done = []
    for write in writes:
        for subscriber in write.to:
            subscriber.write(write.data)
        if write.call_back:
            for subscriber in write.to:
                subscriber.on_caught_up(closing=write.closing)
        done.append(write)
    return done
