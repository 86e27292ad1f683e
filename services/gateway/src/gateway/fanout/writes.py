"""Writes: what a flush sends, and to whom. Pure."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from gateway.fanout.encoding import Frame
from gateway.fanout.subscriptions import Subscriber, SubscriberGroup

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


def live_of(group: SubscriberGroup) -> tuple[tuple[Subscriber, ...], tuple[int, ...]]:
    """Return the live subscribers and their descriptors; a copy: a write may pause one."""
    return tuple(group.live), tuple(group.live.values())


def joined(
    frames: Sequence[Frame],
    group: SubscriberGroup,
    subscribers: Sequence[Subscriber],
    descriptors: Sequence[int],
) -> tuple[bytes, Sequence[Subscriber], Sequence[int], int]:
    """Return the first fields of a write of these frames: one write a subscriber for all frames."""
    data = b"".join([frame.encoded(group.encoding) for frame in frames])
    return data, subscribers, descriptors, sum([frame.updates for frame in frames])
