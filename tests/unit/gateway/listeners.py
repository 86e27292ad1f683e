"""Listeners that remember everything they were given, and read it as a page does."""

from collections.abc import Iterable

import msgspec

from contract.cursors import Cursor, parse_cursor
from contract.frames import Removed, ServerFrame, Snapshot, Updates
from gateway.fanout.encoding import Form
from gateway.fanout.planner import Delivery, Fanout
from gateway.fanout.raw_send import NOWHERE
from gateway.fanout.subscriptions import Interest, Listener
from tests.browsers import TEXT, unframed

_frame: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)


class Client(Listener):
    """A listener on a WebSocket, and all it was ever given.

    When it is `full` it takes one more write and then says that it does not read.
    """

    def __init__(self, to: Fanout, interest: Interest = None, since: Cursor | None = None) -> None:
        super().__init__(NOWHERE)
        self.fanout = to
        self.interest = interest
        self.full = False
        self.closed = False
        self.calls_back = 0
        self.writes: list[bytes] = []
        self.frames: list[ServerFrame] = []
        self.states: dict[str, dict[str, object]] = {}
        self.changes: list[tuple[str, object]] = []
        self.cursor = since
        to.join(self, interest, Form.WEBSOCKET, since)

    def caught_up(self, *, closing: bool) -> None:
        """Note that it was called back."""
        self.calls_back += 1
        self.closed = self.closed or closing

    def news(self) -> list[ServerFrame]:
        """The frames since it was last asked."""
        frames, self.frames = self.frames, []
        return frames

    def wants(self, interest: Interest) -> None:
        """Ask for something else; what it knows, and where it is, was of what it asked before."""
        self.interest = interest
        self.states = {}
        self.cursor = None
        self.fanout.subscribe(self, interest)

    def write(self, data: bytes | memoryview) -> None:
        """Take everything, and read it."""
        assert not self.stalled, "written to while it did not read"
        data = bytes(data)
        self.writes.append(data)
        taken = unframed(b"\r\n\r\n" + data)
        assert sum(len(payload) for _, payload in taken) <= len(data)
        for opcode, payload in taken:
            assert opcode == TEXT
            self._apply(_frame.decode(payload))
        if self.full:
            self.fanout.stall(self)

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
        assert self.interest is None or pillow in self.interest, "nobody asked"
        known = self.states.get(pillow)
        if known is not None:
            assert str(state["at"]) >= str(known["at"]), "a pillow went backwards"
        self.states[pillow] = state


def deliver(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Write what is to be written, as the gateway does."""
    done = []
    for delivery in deliveries:
        for listener in delivery.to:
            listener.write(delivery.data)
        if delivery.call_back:
            for listener in delivery.to:
                listener.caught_up(closing=delivery.closing)
        done.append(delivery)
    return done
