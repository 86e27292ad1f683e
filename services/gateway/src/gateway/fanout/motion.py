"""Motion: states without it, and the samples of the pillows that a subscriber names. Pure.

A subscriber without `has_motion` gets states without `motion`, and, right behind an update, the
samples of those pillows that it asked for. They move no cursor, and are part of no snapshot and no
catch-up: a paused subscriber does not get them later.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from contract.motion import SplitState, encode_motion, split_motion
from gateway.fanout.encoding import Encoding, Frame
from gateway.fanout.group_map import GroupMap
from gateway.fanout.subscriptions import NAME_BYTES, Subscriber
from gateway.state.state_store import Change

MAX_CUT_BYTES: Final = 8_388_608
"""How much of what was cut is kept, so that a change is cut once; the oldest goes first."""


class _Cut(NamedTuple):
    offset: int
    change: Change
    """The change as it is without `motion`."""
    samples: bytes | None

    @property
    def size(self) -> int:
        return len(self.change.payload or b"") + len(self.samples or b"")


class MotionCuts:
    """Cuts `motion` out of states, once for each change; states without it are not kept."""

    def __init__(self) -> None:
        self._cuts: dict[str, _Cut] = {}  # the oldest first
        self.size_bytes = 0

    def without(self, changes: Iterable[Change]) -> list[Change]:
        """Return the changes without `motion`; those that have none are the same objects."""
        return [self._without(change) for change in changes]

    def samples(self, change: Change) -> bytes | None:
        """Return the entry of a motion frame for a change; None if it has no samples."""
        cut = self._cut(change)
        return None if cut is None else cut.samples

    def _without(self, change: Change) -> Change:
        cut = self._cut(change)
        return change if cut is None else cut.change

    def _cut(self, change: Change) -> _Cut | None:
        """Return what a change was cut into; None if there was nothing to cut."""
        kept = self._cuts.get(change.pillow)
        if kept is not None and kept.offset == change.offset:
            return kept
        if change.payload is None:
            return None
        split = split_motion(change.payload)
        return None if split.payload is change.payload else self._keep(change, split)

    def _keep(self, change: Change, split: SplitState) -> _Cut:
        cut = _Cut(change.offset, replace(change, payload=split.payload), split.samples)
        self._drop(change.pillow)
        self._cuts[change.pillow] = cut
        self.size_bytes += cut.size
        while self.size_bytes > MAX_CUT_BYTES:
            self._drop(next(iter(self._cuts)))
        return cut

    def _drop(self, pillow: str) -> None:
        cut = self._cuts.pop(pillow, None)
        if cut is not None:
            self.size_bytes -= cut.size


class MotionIndex:
    """Which subscribers want the motion of a pillow."""

    def __init__(self) -> None:
        self._wanted: dict[Subscriber, frozenset[str]] = {}
        self._subscribers: GroupMap[Subscriber] = GroupMap()
        self.size_bytes = 0
        """The memory that the names take, in bytes."""

    def __bool__(self) -> bool:
        """Whether anybody wants any."""
        return bool(self._wanted)

    def bytes_with(self, subscriber: Subscriber, pillows: frozenset[str]) -> int:
        """Return what `size_bytes` would be if a subscriber wanted these pillows."""
        before = self._wanted.get(subscriber, frozenset())
        return self.size_bytes + NAME_BYTES * (len(pillows) - len(before))

    def set(self, subscriber: Subscriber, pillows: frozenset[str]) -> None:
        """Let a subscriber have the motion of these pillows, and of no others; empty for none."""
        self.size_bytes = self.bytes_with(subscriber, pillows)
        before = self._wanted.pop(subscriber, frozenset())
        for pillow in before - pillows:
            self._subscribers.discard(pillow, subscriber)
        for pillow in pillows - before:
            self._subscribers.add(pillow, subscriber)
        if pillows:
            self._wanted[subscriber] = pillows

    def live(self, pillow: str) -> Iterator[Subscriber]:
        """Yield the live subscribers that want a pillow's motion and get its states."""
        for subscriber in self._subscribers.of(pillow):
            group = subscriber.group
            # Its token, or its subscription, may have come to permit or name other pillows.
            if (
                group is not None
                and subscriber in group.live
                and (group.filter is None or pillow in group.filter)
            ):
                yield subscriber


class MotionWrite(NamedTuple):
    """The same bytes for live subscribers, as writes.Write has them."""

    data: bytes
    subscribers: list[Subscriber]
    descriptors: list[int]


def motion_writes(
    index: MotionIndex, cuts: MotionCuts, changes: Sequence[Change]
) -> Iterator[MotionWrite]:
    """Yield the samples that changes brought, one write for each live subscriber that wants any.

    A frame is encoded once, and those that want the same of these changes get the same bytes.
    """
    newest = {change.pillow: change for change in changes}
    frames: dict[str, Frame] = {}
    wanted: dict[Subscriber, list[str]] = {}
    for pillow, change in newest.items():
        subscribers = list(index.live(pillow))
        samples = cuts.samples(change) if subscribers else None
        if samples is not None:
            frames[pillow] = Frame(encode_motion([samples]))
            for subscriber in subscribers:
                wanted.setdefault(subscriber, []).append(pillow)
    alike: dict[tuple[Encoding, tuple[str, ...]], list[Subscriber]] = {}
    for subscriber, pillows in wanted.items():
        assert subscriber.group is not None
        alike.setdefault((subscriber.group.encoding, tuple(pillows)), []).append(subscriber)
    for (encoding, pillows_alike), subscribers in alike.items():
        data = b"".join([frames[pillow].encoded(encoding) for pillow in pillows_alike])
        yield MotionWrite(data, subscribers, [one.descriptor for one in subscribers])
