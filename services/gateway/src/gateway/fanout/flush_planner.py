"""Flush planner: which bytes each subscriber gets, and in which order. Pure.

Changes are gathered until the next flush.
A flush first sends pending updates to live subscribers, then the next pieces of a snapshot or a
catch-up to the waiting ones, which are live after the last one. It goes on with these for as long
as it is allowed to, and the others wait for the next flush, so that many who come at once delay no
update for long.
Nothing queues up for a paused subscriber: only its position is kept.
"""

from collections.abc import Callable, Iterator, Sequence

from contract.cursors import Cursor
from contract.frames import Goodbye, Status, encode_frame
from gateway.fanout.catch_up import CatchUp, FrameContext
from gateway.fanout.catch_up_queue import CatchUpQueue
from gateway.fanout.coalescing import MAX_FRAME_BYTES, encode_changes
from gateway.fanout.encoding import Encoding, Frame
from gateway.fanout.motion import MotionCuts, MotionIndex, motion_writes
from gateway.fanout.positions import ResumePoint
from gateway.fanout.subscriptions import Filter, Subscriber, SubscriptionIndex
from gateway.fanout.writes import Write, joined, live_of
from gateway.state.state_store import Change, StateStore


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
        self._queue = CatchUpQueue(self._index, self._catch_up)
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
    def has_changes(self) -> bool:
        """Whether changes wait for the next flush."""
        return bool(self._pending)

    @property
    def is_due(self) -> bool:
        """Whether a flush has anything to write."""
        return bool(self._pending or self._queue)

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
        self._queue.add(subscriber)

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
        self._queue.discard(subscriber)

    def pause(self, subscriber: Subscriber) -> None:
        """Send a subscriber nothing until it is resumed."""
        self._index.pause(subscriber, ResumePoint(self._flushed_offset, self.status))

    def resume(self, subscriber: Subscriber) -> None:
        """Send a subscriber what it missed with the next flush."""
        self._index.resume(subscriber)
        if subscriber.is_subscribed:
            self._queue.add(subscriber)

    def publish(self, change: Change) -> None:
        """Gather a change for the next flush."""
        last_offset = self._pending[-1].offset if self._pending else self._flushed_offset
        assert change.offset > last_offset, f"{change.offset} is published after {last_offset}"
        self._pending.append(change)
        self._pending_bytes += len(change.payload or change.pillow)

    def flush(
        self,
        now_ms: int,
        queue_offset_ms: int | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> Iterator[Write]:
        """Yield what is to be written now, in order; `now_ms` in Unix milliseconds.

        `queue_offset_ms` is added to `now_ms` to get the queue's time, where that is known.
        `may_go_on` returns whether to go on with the waiting subscribers, see `CatchUpQueue`; it is
        not asked after the goodbye.
        The caller may call `pause` and `unsubscribe` while it writes.
        """
        changes, self._pending, self._pending_bytes = self._pending, [], 0
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
        if self._goodbye is not None:  # nobody waits for another flush: the process is about to end
            yield from self._queue.writes(context, self._goodbye, lambda: True)
        else:
            yield from self._queue.writes(context, None, may_go_on)

    def announce_broker(self, status: Status) -> Iterator[Write]:
        """Yield the broker's status for live subscribers; others get it when they catch up."""
        self.status = status
        return self._notices(Frame(encode_frame(status)))

    def announce_restart(self, reconnect_ms: tuple[int, int]) -> Iterator[Write]:
        """Yield the goodbye for live subscribers; others get it with the next flush, or resumed.

        `reconnect_ms` is the range of the delay after which a client reconnects.
        """
        self._goodbye = Frame(encode_frame(Goodbye(reconnect_ms)))
        return self._notices(self._goodbye, closing=True)

    def _notices(self, frame: Frame, *, closing: bool = False) -> Iterator[Write]:
        for group in self._index:
            if group.live:
                data = frame.encoded(group.encoding)
                yield Write(data, *live_of(group), 0, "notice", notify=closing, closing=closing)

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
                yield Write(*joined(frames, group, *live_of(group)), "update")
