"""Fan-out: which bytes each browser is to get, decided without a socket, a task or a clock.

Changes are gathered until the next flush.
A flush is the one moment at which everybody is told: first the news, the same bytes for a whole
audience; then, to each who came, or reads again after it had stopped, what it is owed.
So nothing waits for a listener that does not read: only where it stopped is remembered.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from contract.cursors import Cursor
from contract.frames import (
    Broker,
    Goodbye,
    Status,
    encode_frame,
    encode_removed,
    encode_snapshot,
    encode_updates,
)
from gateway.fanout.encoding import Form, Frame
from gateway.fanout.subscriptions import (
    Audience,
    Audiences,
    Interest,
    Listener,
    Mark,
    Outlet,
    wanted_of,
)
from gateway.state.state_store import Change, Hub

FRAME_BYTES: Final = 65_536
"""No frame of updates is longer; more becomes several."""

SHARED_MS: Final = 20
"""For how long who comes is given the same snapshot, if nothing changes, in milliseconds."""

SHARED: Final = 64
"""How many different snapshots are kept for that: those of many who differ are not worth it."""

_ENVELOPE_BYTES: Final = 256

_Owed = tuple[Interest, Cursor | None, Mark | None]


class Delivery(NamedTuple):
    """The same bytes for each of `to`.

    `outlets` are theirs where nothing waits before these bytes, else none.
    `call_back` says that each is to be told that it has them, `closing` that they are its last.
    """

    data: bytes
    to: Sequence[Listener]
    outlets: Sequence[Outlet]
    updates: int
    kind: Literal["news", "snapshot", "recovered", "newest", "word"]
    call_back: bool = False
    closing: bool = False


class Fanout:
    """Everyone who listens, and the changes on their way to them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._audiences = Audiences()
        self._pending: list[Change] = []
        self._pending_bytes = 0
        self._due: dict[Listener, None] = {}
        self._told = hub.cursor.offset  # up to where every live listener has been told
        self._goodbye: Frame | None = None
        self._made: dict[_Owed, list[Frame]] = {}
        self._made_at: tuple[int, Broker, int] = (0, "offline", 0)
        self.broker: Broker = "offline"

    def __len__(self) -> int:
        return len(self._audiences)

    @property
    def is_due(self) -> bool:
        """Whether a flush has anything to do."""
        return bool(self._pending or self._due)

    @property
    def is_full(self) -> bool:
        """Whether a whole frame has been gathered: to wait on would save nothing."""
        return self._pending_bytes >= FRAME_BYTES

    def join(
        self, listener: Listener, interest: Interest, form: Form, since: Cursor | None
    ) -> None:
        """Begin to tell a listener; its snapshot comes with the next flush."""
        self._audiences.enter(listener, interest, form)
        listener.since = since
        self._due[listener] = None

    def leave(self, listener: Listener) -> None:
        """Forget a listener; once more does no harm."""
        self._audiences.leave(listener)
        self._due.pop(listener, None)

    def subscribe(self, listener: Listener, interest: Interest) -> None:
        """Change what a listener wants; a whole snapshot of it comes with the next flush."""
        audience = listener.audience
        if audience is None:
            return  # it is being closed
        self._audiences.leave(listener)
        listener.mark = None
        self.join(listener, interest, audience.form, None)

    def stall(self, listener: Listener) -> None:
        """Pass over a listener that does not read; all that is kept is where it stopped."""
        listener.stalled = True
        if listener.audience is not None and listener in listener.audience.live:
            del listener.audience.live[listener]
            listener.mark = Mark(self._told, self.broker)

    def drain(self, listener: Listener) -> None:
        """Bring a listener that reads again up to date with the next flush."""
        listener.stalled = False
        if listener.audience is not None:
            self._due[listener] = None

    def add(self, change: Change) -> None:
        """Gather a change for the next flush."""
        self._pending.append(change)
        self._pending_bytes += len(change.payload or change.pillow)

    def flush(self, now_ms: int) -> Iterator[Delivery]:
        """Yield what is to be written now, to whom, in order.

        Whoever writes may find that a listener does not read and say so by `stall` at once.
        """
        changes, self._pending, self._pending_bytes = self._pending, [], 0
        due, self._due = self._due, {}
        self._told = self._hub.cursor.offset
        if changes:
            yield from self._news(changes, now_ms)
        if due:
            yield from self._owed(due, now_ms)

    def say_broker(self, broker: Broker) -> Iterator[Delivery]:
        """Tell everyone whether the broker is there; who is owed something hears it then."""
        self.broker = broker
        return self._word(Frame(encode_frame(Status(broker))))

    def say_goodbye(self, reconnect_ms: tuple[int, int]) -> Iterator[Delivery]:
        """Tell everyone to come back later, also who comes from now on."""
        self._goodbye = Frame(encode_frame(Goodbye(reconnect_ms)))
        return self._word(self._goodbye, closing=True)

    def _word(self, frame: Frame, *, closing: bool = False) -> Iterator[Delivery]:
        for audience in self._audiences:
            if audience.live:
                to, outlets = _live(audience)
                yield Delivery(frame.to(audience.form), to, outlets, 0, "word", closing, closing)

    def _news(self, changes: Sequence[Change], now_ms: int) -> Iterator[Delivery]:
        # Audiences of several forms, or that have only these pillows in common, share what is made.
        made: dict[tuple[int, ...] | None, list[Frame]] = {}
        for audience, wanted in self._audiences.touched(changes).items():
            if audience.live:
                offsets = None
                if audience.interest is not None:
                    offsets = tuple([change.offset for change in wanted])
                frames = made.get(offsets)
                if frames is None:
                    frames = list(frames_of(wanted, self._hub.cursor.epoch, now_ms))
                    made[offsets] = frames
                yield _delivery(frames, audience.form, *_live(audience), "news")

    def _owed(self, due: Iterable[Listener], now_ms: int) -> Iterator[Delivery]:
        alike: dict[tuple[Audience, Cursor | None, Mark | None], list[Listener]] = {}
        for listener in due:
            # One that stopped reading meanwhile is due again when it reads.
            if listener.audience is not None and not listener.stalled:
                key = (listener.audience, *self._left_off(listener))
                alike.setdefault(key, []).append(listener)
        for (audience, since, mark), listeners in alike.items():
            frames = self._shared((audience.interest, since, mark), now_ms)
            for listener in listeners:
                listener.since = listener.mark = None
                audience.live[listener] = listener.outlet
            kind: Literal["snapshot", "recovered", "newest"] = "newest"
            if mark is None:
                kind = "recovered" if frames[0].recovered else "snapshot"
            if self._goodbye is not None:
                frames = [*frames, self._goodbye]
            closing = self._goodbye is not None
            yield _delivery(frames, audience.form, listeners, (), kind, closing=closing)

    def _left_off(self, listener: Listener) -> tuple[Cursor | None, Mark | None]:
        """Return from where a listener goes on: from nowhere if not all that it missed is known.

        So all whose cursors are of another process share a snapshot, however they differ.
        """
        since, mark = listener.since, listener.mark
        if since is not None and not self._hub.covers(since):
            since = None
        if mark is not None and not self._hub.covers(self._hub.cursor._replace(offset=mark.offset)):
            mark = None
        return since, mark

    def _shared(self, owed: _Owed, now_ms: int) -> list[Frame]:
        """Return what is owed, made once for all who are owed the same at about the same time."""
        offset, broker, made_ms = self._made_at
        if (offset, broker) != (
            self._told,
            self.broker,
        ) or not made_ms <= now_ms <= made_ms + SHARED_MS:
            self._made.clear()
            self._made_at = (self._told, self.broker, now_ms)
        frames = self._made.get(owed)
        if frames is None:
            if len(self._made) >= SHARED:
                self._made.clear()
            frames = self._made[owed] = list(self._frames_owed(*owed, now_ms))
        return frames

    def _frames_owed(
        self, interest: Interest, since: Cursor | None, mark: Mark | None, now_ms: int
    ) -> Iterator[Frame]:
        if mark is None:
            yield from self._snapshot(interest, since, now_ms)
            return
        missed = wanted_of(self._hub.after(mark.offset), interest)
        yield from frames_of(missed, self._hub.cursor.epoch, now_ms)
        if mark.broker != self.broker:
            yield Frame(encode_frame(Status(self.broker)))

    def _snapshot(self, interest: Interest, since: Cursor | None, now_ms: int) -> Iterator[Frame]:
        hub, gone, recovered = self._hub, list[str](), False
        if since is not None:
            recovered = True
            missed = wanted_of(hub.after(since.offset), interest)
            states = [change.payload for change in missed if change.payload is not None]
            gone = [change.pillow for change in missed if change.payload is None]
        elif interest is None:
            states = list(hub.states())
        else:
            found = (hub.state(pillow) for pillow in sorted(interest))
            states = [state for state in found if state is not None]
        yield Frame(
            encode_snapshot(
                hub.cursor,
                recovered=recovered,
                broker=self.broker,
                sent_ms=now_ms,
                pillows=states,
            ),
            hub.cursor,
            updates=len(states),
            recovered=recovered,
        )
        if gone:
            yield Frame(encode_removed(hub.cursor, gone), hub.cursor, updates=len(gone))


def _live(audience: Audience) -> tuple[tuple[Listener, ...], tuple[Outlet, ...]]:
    """Return who is live now, and their outlets: writing may change who is."""
    return tuple(audience.live), tuple(audience.live.values())


def _delivery(
    frames: Sequence[Frame],
    form: Form,
    to: Sequence[Listener],
    outlets: Sequence[Outlet],
    kind: Literal["news", "snapshot", "recovered", "newest"],
    *,
    closing: bool = False,
) -> Delivery:
    """Put frames together, so that each browser costs one write however many they are."""
    data = b"".join([frame.to(form) for frame in frames])
    updates = sum(frame.updates for frame in frames)
    return Delivery(data, to, outlets, updates, kind, kind != "news", closing)


def frames_of(changes: Iterable[Change], epoch: str, now_ms: int) -> Iterator[Frame]:
    """Put changes into frames, in order: updates together up to a frame's size, removals too."""
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
