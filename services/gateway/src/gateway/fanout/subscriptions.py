"""Subscriptions: which subscribers get the same bytes, found by the name of a pillow. Pure.

`SubscriptionIndex` is the one writer of a subscriber's state. A subscriber is

- not subscribed: in no group;
- waiting: in a group, until flushes have sent it a snapshot or what it missed, in pieces;
- live: in the `live` set of its group, so that each flush sends it the updates;
- paused: its transport takes no more, so it gets nothing until it is resumed and waits again.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Final, TypeAlias

from gateway.auth.scope import Scope
from gateway.fanout.encoding import Encoding
from gateway.fanout.group_map import GroupMap
from gateway.fanout.positions import ResumeFrom, ResumePoint
from gateway.state.state_store import Change

NAME_BYTES: Final = 150
"""What one name takes: the text, its place in the filter, and in the map of groups."""

_KINDS: Final = tuple(product(Encoding, (True, False)))
"""What groups with the same filter differ in: the encoding, and `has_motion`."""

Filter: TypeAlias = frozenset[str] | Scope | None
"""The pillows that a subscriber wants; None means all."""


class Subscriber:
    """A connection, as the fan-out knows it.

    The connection implements `write` and `on_caught_up`, and gives the descriptor of its socket.
    All other attributes belong to the `SubscriptionIndex`: a connection reads them and calls the
    dispatcher's `subscribe`, `change_filter`, `unsubscribe`, `pause` and `resume`.
    """

    __slots__ = ("descriptor", "group", "has_motion", "is_paused", "resume_from")

    def __init__(self, descriptor: int) -> None:
        """`descriptor` is what a live subscriber is written to, or `raw_send.NO_DESCRIPTOR`.

        It is open until the connection is unsubscribed, so that no other socket has its number.
        """
        self.descriptor = descriptor
        self.group: SubscriberGroup | None = None
        self.resume_from: ResumeFrom = None
        self.is_paused = False
        self.has_motion = True
        """Whether its states have `motion`; set by the connection, before it is subscribed."""

    @property
    def is_subscribed(self) -> bool:
        """Whether it gets anything: from its subscription until it is unsubscribed."""
        return self.group is not None

    @property
    def is_live(self) -> bool:
        """Whether it gets the updates of each flush."""
        return self.group is not None and self in self.group.live

    def write(self, data: bytes | memoryview, /) -> None:
        """Write through the transport, and pause at once if the system does not take all.

        Raises RuntimeError when the transport is closed.
        """
        raise NotImplementedError

    def on_caught_up(self, *, closing: bool) -> None:
        """Run after a piece of a snapshot or catch-up was written.

        `closing` means that nothing follows it.
        """
        raise NotImplementedError


class SubscriberGroup:
    """All subscribers with the same filter, encoding and `has_motion`: they get the same bytes.

    `live` maps the live ones to their descriptors, in the order in which they became live.
    """

    __slots__ = ("encoding", "filter", "has_motion", "live", "size")

    def __init__(self, filter: Filter, encoding: Encoding, *, has_motion: bool) -> None:
        self.filter = filter
        self.encoding = encoding
        self.has_motion = has_motion
        self.live: dict[Subscriber, int] = {}
        self.size = 0


class SubscriptionIndex:
    """All groups, and which of them want a pillow."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Filter, Encoding, bool], SubscriberGroup] = {}
        self._groups_of_pillow: GroupMap[SubscriberGroup] = GroupMap()
        self._groups_of_prefix: GroupMap[SubscriberGroup] = GroupMap()
        self._size = 0
        self.size_bytes = 0
        """The memory that the names in all filters take, in bytes."""

    def __len__(self) -> int:
        """How many subscribers there are."""
        return self._size

    def __iter__(self) -> Iterator[SubscriberGroup]:
        return iter(list(self._groups.values()))

    def bytes_with(self, filter: Filter) -> int:
        """Return what `size_bytes` would be with one more subscriber that has this filter."""
        is_known = filter is None or any((filter, *kind) in self._groups for kind in _KINDS)
        return self.size_bytes + (0 if is_known else filter_bytes(filter))

    def add(
        self, subscriber: Subscriber, filter: Filter, encoding: Encoding, resume_from: ResumeFrom
    ) -> None:
        """Put a subscriber into the group for its filter and encoding; it waits there."""
        assert subscriber.group is None, "a subscriber is in two groups"
        key = (filter, encoding, subscriber.has_motion)
        group = self._groups.get(key)
        if group is None:
            group = SubscriberGroup(filter, encoding, has_motion=subscriber.has_motion)
            self._groups[key] = group
            for pillow in _names(filter):
                self._groups_of_pillow.add(pillow, group)
            for prefix in _prefixes(filter):
                self._groups_of_prefix.add(prefix, group)
            self.size_bytes += filter_bytes(filter)
        group.size += 1
        self._size += 1
        subscriber.group = group
        subscriber.resume_from = resume_from

    def remove(self, subscriber: Subscriber) -> None:
        """Take a subscriber out of its group, if it is in one; an empty group is dropped."""
        group = subscriber.group
        if group is None:
            return
        subscriber.group = subscriber.resume_from = None
        group.live.pop(subscriber, None)
        group.size -= 1
        self._size -= 1
        if group.size:
            return
        assert not group.live, "a subscriber is live in a group that it is not in"
        del self._groups[group.filter, group.encoding, group.has_motion]
        for pillow in _names(group.filter):
            self._groups_of_pillow.discard(pillow, group)
        for prefix in _prefixes(group.filter):
            self._groups_of_prefix.discard(prefix, group)
        self.size_bytes -= filter_bytes(group.filter)

    def set_live(self, group: SubscriberGroup, subscribers: Iterable[Subscriber]) -> None:
        """Make waiting subscribers of a group live."""
        live = group.live
        for subscriber in subscribers:
            assert subscriber.group is group, "a subscriber is made live in another group"
            assert not subscriber.is_paused, "a paused subscriber is made live"
            subscriber.resume_from = None
            live[subscriber] = subscriber.descriptor

    def set_position(self, subscribers: Iterable[Subscriber], position: ResumeFrom) -> None:
        """Note up to where waiting subscribers have been sent something."""
        for subscriber in subscribers:
            subscriber.resume_from = position

    def pause(self, subscriber: Subscriber, resume_point: ResumePoint) -> None:
        """Pause a subscriber; a live one is to resume from `resume_point`."""
        subscriber.is_paused = True
        group = subscriber.group
        if group is not None and group.live.pop(subscriber, None) is not None:
            assert subscriber.resume_from is None, "a live subscriber has somewhere to resume from"
            subscriber.resume_from = resume_point

    def resume(self, subscriber: Subscriber) -> None:
        """End the pause of a subscriber; it waits for what it missed."""
        subscriber.is_paused = False

    def affected_by(self, changes: Sequence[Change]) -> dict[SubscriberGroup, Sequence[Change]]:
        """Return the groups that want any of the changes, each with those that it wants, in order.

        It costs a lookup for each change, however many groups want other pillows; and one for each
        length of a prefix, where groups have prefixes.
        """
        named: dict[SubscriberGroup, list[Change]] = {}
        lengths = set(map(len, self._groups_of_prefix))
        for change in changes:
            pillow = change.pillow
            for group in self._groups_of_pillow.of(pillow):
                named.setdefault(group, []).append(change)
            # A scope has a pillow by one entry only, so no group gets a change twice.
            for length in lengths:
                if length <= len(pillow):
                    for group in self._groups_of_prefix.of(pillow[:length]):
                        named.setdefault(group, []).append(change)
        everything = (self._groups.get((None, *kind)) for kind in _KINDS)
        return {**{group: changes for group in everything if group is not None}, **named}


def filter_bytes(filter: Filter) -> int:
    """Return about what the names in a filter take in memory, in bytes."""
    if isinstance(filter, Scope):
        return NAME_BYTES * (len(filter.ids) + len(filter.prefixes))
    return 0 if filter is None else NAME_BYTES * len(filter)


def _names(filter: Filter) -> Iterable[str]:
    return filter.ids if isinstance(filter, Scope) else filter or ()


def _prefixes(filter: Filter) -> Iterable[str]:
    return filter.prefixes if isinstance(filter, Scope) else ()


def matching(changes: Iterable[Change], filter: Filter) -> list[Change]:
    """Return the changes of the pillows that a filter names."""
    return [change for change in changes if filter is None or change.pillow in filter]
