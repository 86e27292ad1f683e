"""Fan-out: which bytes each browser is to get, decided without a socket, a task or a clock.

Changes are gathered until the next flush.
A flush is the one moment at which everybody is told: first the news, the same bytes for a whole
group; then, to each who came, or reads again after it had stopped, what it is owed.
So nothing waits for a subscriber that does not read: only where it stopped is remembered.
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
from gateway.fanout.encoding import Encoding, Frame
from gateway.fanout.subscriptions import (
    Filter,
    RawSocket,
    ResumePoint,
    Subscriber,
    SubscriberGroup,
    SubscriptionIndex,
    matching,
)
from gateway.state.state_store import Change, StateStore

MAX_FRAME_BYTES: Final = 65_536
"""No frame of updates is longer; more becomes several."""

SNAPSHOT_CACHE_MS: Final = 20
"""For how long who comes is given the same snapshot, if nothing changes, in milliseconds."""

SNAPSHOT_CACHE_SIZE: Final = 64
"""How many different snapshots are kept for that: those of many who differ are not worth it."""

_ENVELOPE_BYTES: Final = 256

_Owed = tuple[Filter, Cursor | None, ResumePoint | None]


class Write(NamedTuple):
    """The same bytes for each of `subscribers`.

    `raw_sockets` are theirs where nothing waits before these bytes, else none.
    `notify` says that each is to be told that it has them, `closing` that they are its last.
    """

    data: bytes
    subscribers: Sequence[Subscriber]
    raw_sockets: Sequence[RawSocket]
    updates: int
    kind: Literal["update", "snapshot", "recovered", "catch_up", "notice"]
    notify: bool = False
    closing: bool = False


class Planner:
    """Everyone who listens, and the changes on their way to them."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._index = SubscriptionIndex()
        self._pending: list[Change] = []
        self._pending_bytes = 0
        self._due: dict[Subscriber, None] = {}
        self._told = store.cursor.offset  # up to where every live subscriber has been told
        self._goodbye: Frame | None = None
        self._made: dict[_Owed, list[Frame]] = {}
        self._made_at: tuple[int, Broker, int] = (0, "offline", 0)
        self.broker: Broker = "offline"

    def __len__(self) -> int:
        return len(self._index)

    @property
    def is_due(self) -> bool:
        """Whether a flush has anything to do."""
        return bool(self._pending or self._due)

    @property
    def is_full(self) -> bool:
        """Whether a whole frame has been gathered: to wait on would save nothing."""
        return self._pending_bytes >= MAX_FRAME_BYTES

    def subscribe(
        self, subscriber: Subscriber, filter: Filter, encoding: Encoding, resume_from: Cursor | None
    ) -> None:
        """Begin to tell a subscriber; its snapshot comes with the next flush."""
        self._index.add(subscriber, filter, encoding)
        subscriber.resume_from = resume_from
        self._due[subscriber] = None

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget a subscriber; once more does no harm."""
        self._index.remove(subscriber)
        self._due.pop(subscriber, None)

    def change_filter(self, subscriber: Subscriber, filter: Filter) -> None:
        """Change what a subscriber wants; a whole snapshot of it comes with the next flush."""
        group = subscriber.group
        if group is None:
            return  # it is being closed
        self._index.remove(subscriber)
        subscriber.paused_at = None
        self.subscribe(subscriber, filter, group.encoding, None)

    def pause(self, subscriber: Subscriber) -> None:
        """Pass over a subscriber that does not read; all that is kept is where it stopped."""
        subscriber.is_paused = True
        if subscriber.group is not None and subscriber in subscriber.group.live:
            del subscriber.group.live[subscriber]
            subscriber.paused_at = ResumePoint(self._told, self.broker)

    def resume(self, subscriber: Subscriber) -> None:
        """Bring a subscriber that reads again up to date with the next flush."""
        subscriber.is_paused = False
        if subscriber.group is not None:
            self._due[subscriber] = None

    def add(self, change: Change) -> None:
        """Gather a change for the next flush."""
        self._pending.append(change)
        self._pending_bytes += len(change.payload or change.pillow)

    def flush(self, now_ms: int) -> Iterator[Write]:
        """Yield what is to be written now, to whom, in order.

        Whoever writes may find that a subscriber does not read and say so by `pause` at once.
        """
        changes, self._pending, self._pending_bytes = self._pending, [], 0
        due, self._due = self._due, {}
        self._told = self._store.cursor.offset
        if changes:
            yield from self._news(changes, now_ms)
        if due:
            yield from self._owed(due, now_ms)

    def announce_broker(self, broker: Broker) -> Iterator[Write]:
        """Tell everyone whether the broker is there; who is owed something hears it then."""
        self.broker = broker
        return self._word(Frame(encode_frame(Status(broker))))

    def announce_restart(self, reconnect_ms: tuple[int, int]) -> Iterator[Write]:
        """Tell everyone to come back later, also who comes from now on."""
        self._goodbye = Frame(encode_frame(Goodbye(reconnect_ms)))
        return self._word(self._goodbye, closing=True)

    def _word(self, frame: Frame, *, closing: bool = False) -> Iterator[Write]:
        for group in self._index:
            if group.live:
                to, raw_sockets = _live(group)
                yield Write(
                    frame.encoded(group.encoding), to, raw_sockets, 0, "notice", closing, closing
                )

    def _news(self, changes: Sequence[Change], now_ms: int) -> Iterator[Write]:
        # Groups of several encodings, or with only these pillows in common, share the frames.
        made: dict[tuple[int, ...] | None, list[Frame]] = {}
        for group, wanted in self._index.affected_by(changes).items():
            if group.live:
                offsets = None
                if group.filter is not None:
                    offsets = tuple([change.offset for change in wanted])
                frames = made.get(offsets)
                if frames is None:
                    frames = list(frames_of(wanted, self._store.cursor.epoch, now_ms))
                    made[offsets] = frames
                yield _write_of(frames, group.encoding, *_live(group), "update")

    def _owed(self, due: Iterable[Subscriber], now_ms: int) -> Iterator[Write]:
        alike: dict[
            tuple[SubscriberGroup, Cursor | None, ResumePoint | None], list[Subscriber]
        ] = {}
        for subscriber in due:
            # One that stopped reading meanwhile is due again when it reads.
            if subscriber.group is not None and not subscriber.is_paused:
                key = (subscriber.group, *self._left_off(subscriber))
                alike.setdefault(key, []).append(subscriber)
        for (group, since, mark), subscribers in alike.items():
            frames = self._shared((group.filter, since, mark), now_ms)
            for subscriber in subscribers:
                subscriber.resume_from = subscriber.paused_at = None
                group.live[subscriber] = subscriber.raw_socket
            kind: Literal["snapshot", "recovered", "catch_up"] = "catch_up"
            if mark is None:
                kind = "recovered" if frames[0].recovered else "snapshot"
            if self._goodbye is not None:
                frames = [*frames, self._goodbye]
            closing = self._goodbye is not None
            yield _write_of(frames, group.encoding, subscribers, (), kind, closing=closing)

    def _left_off(self, subscriber: Subscriber) -> tuple[Cursor | None, ResumePoint | None]:
        """Return from where a subscriber goes on: from nowhere if not all that it missed is known.

        So all whose cursors are of another process share a snapshot, however they differ.
        """
        since, mark = subscriber.resume_from, subscriber.paused_at
        if since is not None and not self._store.covers(since):
            since = None
        if mark is not None and not self._store.covers(
            self._store.cursor._replace(offset=mark.offset)
        ):
            mark = None
        return since, mark

    def _shared(self, owed: _Owed, now_ms: int) -> list[Frame]:
        """Return what is owed, made once for all who are owed the same at about the same time."""
        offset, broker, made_ms = self._made_at
        if (offset, broker) != (
            self._told,
            self.broker,
        ) or not made_ms <= now_ms <= made_ms + SNAPSHOT_CACHE_MS:
            self._made.clear()
            self._made_at = (self._told, self.broker, now_ms)
        frames = self._made.get(owed)
        if frames is None:
            if len(self._made) >= SNAPSHOT_CACHE_SIZE:
                self._made.clear()
            frames = self._made[owed] = list(self._frames_owed(*owed, now_ms))
        return frames

    def _frames_owed(
        self, filter: Filter, since: Cursor | None, mark: ResumePoint | None, now_ms: int
    ) -> Iterator[Frame]:
        if mark is None:
            yield from self._snapshot(filter, since, now_ms)
            return
        missed = matching(self._store.changes_after(mark.offset), filter)
        yield from frames_of(missed, self._store.cursor.epoch, now_ms)
        if mark.broker != self.broker:
            yield Frame(encode_frame(Status(self.broker)))

    def _snapshot(self, filter: Filter, since: Cursor | None, now_ms: int) -> Iterator[Frame]:
        store, gone, recovered = self._store, list[str](), False
        if since is not None:
            recovered = True
            missed = matching(store.changes_after(since.offset), filter)
            states = [change.payload for change in missed if change.payload is not None]
            gone = [change.pillow for change in missed if change.payload is None]
        elif filter is None:
            states = list(store.states())
        else:
            found = (store.state(pillow) for pillow in sorted(filter))
            states = [state for state in found if state is not None]
        yield Frame(
            encode_snapshot(
                store.cursor,
                recovered=recovered,
                broker=self.broker,
                sent_ms=now_ms,
                pillows=states,
            ),
            store.cursor,
            updates=len(states),
            recovered=recovered,
        )
        if gone:
            yield Frame(encode_removed(store.cursor, gone), store.cursor, updates=len(gone))


def _live(group: SubscriberGroup) -> tuple[tuple[Subscriber, ...], tuple[RawSocket, ...]]:
    """Return who is live now, and their raw_sockets: writing may change who is."""
    return tuple(group.live), tuple(group.live.values())


def _write_of(
    frames: Sequence[Frame],
    encoding: Encoding,
    subscribers: Sequence[Subscriber],
    raw_sockets: Sequence[RawSocket],
    kind: Literal["update", "snapshot", "recovered", "catch_up"],
    *,
    closing: bool = False,
) -> Write:
    """Put frames together, so that each browser costs one write however many they are."""
    data = b"".join([frame.encoded(encoding) for frame in frames])
    updates = sum(frame.updates for frame in frames)
    return Write(data, subscribers, raw_sockets, updates, kind, kind != "update", closing)


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
        if (states or gone) and (other_kind or size + piece > MAX_FRAME_BYTES):
            yield finish()
        if change.payload is None:
            gone.append(change.pillow)
        else:
            states.append(change.payload)
        size += piece
        offset = change.offset
    if states or gone:
        yield finish()
