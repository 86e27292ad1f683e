"""Subscriptions: who gets the same bytes, found by the name of a pillow. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from contract.cursors import Cursor
from contract.frames import Broker
from gateway.fanout.encoding import Encoding
from gateway.state.state_store import Change

Filter = frozenset[str] | None
"""Which pillows a subscriber wants; None means all."""


RawSocket: TypeAlias = Any
"""What a subscriber is sent by while nothing waits for it; it is only kept here, for who writes."""


class ResumePoint(NamedTuple):
    """Up to where a subscriber had been told everything when it stopped reading."""

    offset: int
    broker: Broker


class Subscriber:
    """One browser, as far as the fan-out knows it.

    `since` is where it resumes from until it has its snapshot, `mark` where it stopped reading.
    While it is live nothing waits before what comes next, so that it may go to its `raw_socket`.
    """

    __slots__ = ("group", "is_paused", "paused_at", "raw_socket", "resume_from")

    def __init__(self, raw_socket: RawSocket) -> None:
        self.raw_socket = raw_socket
        self.group: SubscriberGroup | None = None
        self.resume_from: Cursor | None = None
        self.paused_at: ResumePoint | None = None
        self.is_paused = False

    @property
    def is_subscribed(self) -> bool:
        """Whether it is in a group: from its subscription until it is unsubscribed."""
        return self.group is not None

    @property
    def is_live(self) -> bool:
        """Whether it has its snapshot, reads, and so gets what is told to its group."""
        return self.group is not None and self in self.group.live

    def write(self, data: bytes | memoryview) -> None:
        """Take the bytes that it is to get; what does not fit waits, and it is paused at once."""
        raise NotImplementedError

    def on_caught_up(self, *, closing: bool) -> None:
        """Go on after the bytes that were for it alone; `closing` says that they end it."""


class SubscriberGroup:
    """Everyone with one filter and one encoding.

    `live` are those that read, with their raw sockets, so that the writer has them at hand; the
    others catch up.
    """

    __slots__ = ("encoding", "filter", "live", "members")

    def __init__(self, filter: Filter, encoding: Encoding) -> None:
        self.filter = filter
        self.encoding = encoding
        # In the order in which they came, as memory has them.
        self.live: dict[Subscriber, RawSocket] = {}
        self.members = 0


class SubscriptionIndex:
    """All groups, by the pillows they want."""

    def __init__(self) -> None:
        self._all: dict[tuple[Filter, Encoding], SubscriberGroup] = {}
        self._of_pillow: dict[str, set[SubscriberGroup]] = {}
        self._members = 0

    def __len__(self) -> int:
        return self._members

    def __iter__(self) -> Iterator[SubscriberGroup]:
        return iter(list(self._all.values()))

    def add(self, subscriber: Subscriber, filter: Filter, encoding: Encoding) -> None:
        """Put a subscriber into its group; it is not live yet."""
        group = self._all.get((filter, encoding))
        if group is None:
            group = self._all[filter, encoding] = SubscriberGroup(filter, encoding)
            for pillow in filter or ():
                self._of_pillow.setdefault(pillow, set()).add(group)
        group.members += 1
        self._members += 1
        subscriber.group = group

    def remove(self, subscriber: Subscriber) -> None:
        """Take a subscriber out of its group; the last one takes the group along."""
        group = subscriber.group
        if group is None:
            return
        subscriber.group = None
        group.live.pop(subscriber, None)
        group.members -= 1
        self._members -= 1
        if group.members:
            return
        del self._all[group.filter, group.encoding]
        for pillow in group.filter or ():
            groups = self._of_pillow[pillow]
            groups.discard(group)
            if not groups:
                del self._of_pillow[pillow]

    def affected_by(self, changes: Sequence[Change]) -> dict[SubscriberGroup, Sequence[Change]]:
        """Return whom changes concern, each with those that it wants, in order."""
        wanted: dict[SubscriberGroup, list[Change]] = {}
        for change in changes:
            for group in self._of_pillow.get(change.pillow, ()):
                wanted.setdefault(group, []).append(change)
        return {**self._everything(changes), **wanted}

    def _everything(self, changes: Sequence[Change]) -> dict[SubscriberGroup, Sequence[Change]]:
        found = (self._all.get((None, encoding)) for encoding in Encoding)
        return {group: changes for group in found if group is not None}


def matching(changes: Iterable[Change], filter: Filter) -> list[Change]:
    """Return the changes of the pillows that a filter names."""
    return [change for change in changes if filter is None or change.pillow in filter]
