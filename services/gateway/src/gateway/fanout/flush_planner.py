"""Flush planner: which bytes each subscriber gets, and in which order. Pure.

Changes are gathered until the next flush.
A flush first sends pending updates to live subscribers, then the next pieces of a snapshot or a
catch-up to the waiting ones, which are live after the last one.
Nothing queues up for a paused subscriber: only its position is kept.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from contract.cursors import Cursor
from contract.frames import Goodbye, Status, encode_frame
from gateway.fanout.catch_up import CatchUp, FrameContext, View
from gateway.fanout.coalescing import MAX_FRAME_BYTES, encode_changes
from gateway.fanout.encoding import Encoding, Frame
from gateway.fanout.motion import MotionCuts, MotionIndex, motion_writes
from gateway.fanout.positions import Progress, ResumeFrom, ResumePoint
from gateway.fanout.subscriptions import (
    Filter,
    Subscriber,
    SubscriberGroup,
    SubscriptionIndex,
)
from gateway.state.state_store import Change, StateStore

PIECES_PER_FLUSH: Final = 4
"""How many pieces a flush writes to a subscriber that takes them all: enough to fill the system's
buffer, so that it reads at full speed, and few enough that the updates of others do not wait."""

Kind = Literal["update", "motion", "snapshot", "recovered", "catch_up", "next_piece", "notice"]
"""What a write is: pending updates, samples that came with them, the first piece of one of the
three ways to catch up, a later piece, or the same notice for all live subscribers (the broker's
status, the goodbye)."""


class Write(NamedTuple):
    """The same bytes for each of `subscribers`.

    `descriptors` are theirs, in the same order, when they were live before: then nothing is
    buffered in front of the bytes. For a piece of a catch-up it is empty, because a connection may
    have more to write in front of it.
    `updates` is how many pillows the bytes carry.
    With `notify`, `on_caught_up` is called after the write; `closing` is its argument.
    """

    data: bytes
    subscribers: Sequence[Subscriber]
    descriptors: Sequence[int]
    updates: int
    kind: Kind
    notify: bool = False
    closing: bool = False


class FlushPlanner:
    """All subscriptions, and the changes that wait for the next flush."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._index = SubscriptionIndex()
        self._motion = MotionIndex()
        self._motion_cuts = MotionCuts()
        self._catch_up = CatchUp(store, self._motion_cuts)
        self._pending: list[Change] = []
        self._pending_bytes = 0
        self._waiting: dict[Subscriber, None] = {}  # a set that keeps its order
        self._flushed_offset = store.cursor.offset  # live subscribers have all up to here
        self._goodbye: Frame | None = None
        self.status = Status("offline")
        self.shown_share: float = 0
        """The share of clients that are asked to report when they showed a state."""

    def __len__(self) -> int:
        """How many subscribers there are."""
        return len(self._index)

    def subscription_bytes(self, filter: Filter = None) -> int:
        """Return the memory of all filters, with that of one more subscriber with `filter`."""
        return self._index.bytes_with(filter) + self._motion.size_bytes

    def motion_bytes(self, subscriber: Subscriber, pillows: frozenset[str]) -> int:
        """Return `subscription_bytes` as it would be if a subscriber wanted this motion."""
        return self._index.size_bytes + self._motion.bytes_with(subscriber, pillows)

    @property
    def is_due(self) -> bool:
        """Whether a flush has anything to write."""
        return bool(self._pending or self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether the pending changes fill a frame: to wait for more would save nothing."""
        return self._pending_bytes >= MAX_FRAME_BYTES

    def subscribe(
        self,
        subscriber: Subscriber,
        filter: Filter,
        encoding: Encoding,
        resume_from: Cursor | None,
    ) -> None:
        """Add a subscriber; the next flush sends it a snapshot, from `resume_from` if covered."""
        self._index.add(subscriber, filter, encoding, resume_from)
        self._waiting[subscriber] = None

    def change_filter(self, subscriber: Subscriber, filter: Filter) -> None:
        """Change the filter of a subscriber; the next flush sends it a full snapshot.

        Without effect on one that is not subscribed: it is being closed.
        """
        group = subscriber.group
        if group is not None:
            self._index.remove(subscriber)
            self.subscribe(subscriber, filter, group.encoding, None)

    def subscribe_motion(self, subscriber: Subscriber, pillows: frozenset[str]) -> None:
        """Send a subscriber, while it is live, the samples of these of its pillows and no others.

        Its states are without them.
        """
        assert not subscriber.has_motion, "the states of this subscriber have their motion"
        self._motion.set(subscriber, pillows)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Remove a subscriber; without effect on one that is not subscribed."""
        self._motion.set(subscriber, frozenset())
        self._index.remove(subscriber)
        self._waiting.pop(subscriber, None)

    def pause(self, subscriber: Subscriber) -> None:
        """Send a subscriber nothing until it is resumed."""
        self._index.pause(subscriber, ResumePoint(self._flushed_offset, self.status))

    def resume(self, subscriber: Subscriber) -> None:
        """Send a subscriber what it missed with the next flush."""
        self._index.resume(subscriber)
        if subscriber.is_subscribed:
            self._waiting[subscriber] = None

    def publish(self, change: Change) -> None:
        """Gather a change for the next flush."""
        last_offset = self._pending[-1].offset if self._pending else self._flushed_offset
        assert change.offset > last_offset, f"{change.offset} is published after {last_offset}"
        self._pending.append(change)
        self._pending_bytes += len(change.payload or change.pillow)

    def flush(self, now_ms: int, queue_offset_ms: int | None = None) -> Iterator[Write]:
        """Yield what is to be written now, in order; `now_ms` in Unix milliseconds.

        `queue_offset_ms` is added to `now_ms` to get the queue's time, where that is known.
        The caller may call `pause` and `unsubscribe` while it writes.
        """
        changes, self._pending, self._pending_bytes = self._pending, [], 0
        waiting, self._waiting = self._waiting, {}
        self._flushed_offset = self._store.cursor.offset
        if changes:
            assert changes[-1].offset <= self._flushed_offset, "a change is not in the store"
            yield from self._updates(changes, now_ms)
            if self._motion:
                for write in motion_writes(self._motion, self._motion_cuts, changes):
                    yield Write(*write, 0, "motion")
        context = FrameContext(
            self.status, now_ms, len(self._index), queue_offset_ms, self.shown_share
        )
        if changes:
            self._catch_up.drop_outdated(context)
        if waiting:
            yield from self._catch_ups(waiting, context)

    def announce_broker(self, status: Status) -> Iterator[Write]:
        """Yield the broker's status for live subscribers; others get it when they catch up."""
        self.status = status
        return self._notices(Frame(encode_frame(status)))

    def announce_restart(self, reconnect_ms: tuple[int, int]) -> Iterator[Write]:
        """Yield the goodbye for live subscribers; others get it when they catch up.

        `reconnect_ms` is the range of the delay after which a client reconnects.
        """
        self._goodbye = Frame(encode_frame(Goodbye(reconnect_ms)))
        return self._notices(self._goodbye, closing=True)

    def _notices(self, frame: Frame, *, closing: bool = False) -> Iterator[Write]:
        for group in self._index:
            if group.live:
                data = frame.encoded(group.encoding)
                yield Write(data, *_live(group), 0, "notice", notify=closing, closing=closing)

    def _updates(self, changes: Sequence[Change], now_ms: int) -> Iterator[Write]:
        # Groups that want the same of these changes share the frames: those of other encodings,
        # and those with filters that differ in other pillows only.
        encoded: dict[tuple[int, ...] | None, list[Frame]] = {}
        without_motion: dict[tuple[int, ...] | None, list[Frame]] = {}
        epoch = self._store.cursor.epoch
        for group, wanted in self._index.affected_by(changes).items():
            if group.live:
                offsets = None
                if group.filter is not None:
                    offsets = tuple([change.offset for change in wanted])
                known = encoded if group.has_motion else without_motion
                frames = known.get(offsets)
                if frames is None and not group.has_motion:
                    uncut, wanted = wanted, self._motion_cuts.without(wanted)
                    if wanted == uncut:  # they are what all others get, too
                        known, frames = encoded, encoded.get(offsets)
                if frames is None:
                    frames = known[offsets] = list(encode_changes(wanted, epoch, now_ms))
                yield Write(*_joined(frames, group, *_live(group)), "update")

    def _catch_ups(self, waiting: Iterable[Subscriber], context: FrameContext) -> Iterator[Write]:
        """Yield up to PIECES_PER_FLUSH pieces for each waiting subscriber that takes them.

        Those that have not got all of it then wait for the next flush.
        """
        for _ in range(PIECES_PER_FLUSH):
            unfinished: list[Subscriber] = []
            for group, resume_from, subscribers in self._alike(waiting):
                view = View(group.filter, group.has_motion)
                frames, rest = self._catch_up.piece(view, resume_from, context)
                if self._goodbye is not None:
                    frames, rest = [*frames, self._goodbye], None
                if rest is None:
                    self._index.set_live(group, subscribers)
                else:
                    self._index.set_position(subscribers, rest)
                    unfinished += subscribers
                yield Write(
                    *_joined(frames, group, subscribers, ()),
                    _kind(resume_from),
                    notify=True,
                    closing=self._goodbye is not None,
                )
            waiting = unfinished
            if not waiting:
                return
        self._waiting.update(dict.fromkeys(self._not_paused(waiting)))

    def _alike(
        self, waiting: Iterable[Subscriber]
    ) -> Iterator[tuple[SubscriberGroup, ResumeFrom, list[Subscriber]]]:
        """Yield the waiting subscribers together with those that get the same piece."""
        alike: dict[tuple[SubscriberGroup, ResumeFrom], list[Subscriber]] = {}
        for subscriber in self._not_paused(waiting):
            resume_from = self._catch_up.covered(subscriber.resume_from)
            assert subscriber.group is not None
            alike.setdefault((subscriber.group, resume_from), []).append(subscriber)
        for (group, resume_from), subscribers in alike.items():
            yield group, resume_from, subscribers

    @staticmethod
    def _not_paused(subscribers: Iterable[Subscriber]) -> list[Subscriber]:
        """Return those to write to; one that was paused meanwhile waits again when resumed."""
        return [one for one in subscribers if one.group is not None and not one.is_paused]


def _live(group: SubscriberGroup) -> tuple[tuple[Subscriber, ...], tuple[int, ...]]:
    """Return the live subscribers and their descriptors; a copy: a write may pause one."""
    return tuple(group.live), tuple(group.live.values())


def _joined(
    frames: Sequence[Frame],
    group: SubscriberGroup,
    subscribers: Sequence[Subscriber],
    descriptors: Sequence[int],
) -> tuple[bytes, Sequence[Subscriber], Sequence[int], int]:
    """Return the first fields of a write of these frames: one write a subscriber for all frames."""
    data = b"".join([frame.encoded(group.encoding) for frame in frames])
    return data, subscribers, descriptors, sum([frame.updates for frame in frames])


def _kind(resume_from: ResumeFrom) -> Kind:
    if resume_from is None:
        return "snapshot"
    if isinstance(resume_from, Progress):
        return "next_piece"
    return "catch_up" if isinstance(resume_from, ResumePoint) else "recovered"
