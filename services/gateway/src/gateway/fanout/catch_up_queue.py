"""Catch-up queue: the subscribers that wait for a snapshot or a catch-up, and their turns. Pure.

Each flush goes on with them for as long as it is allowed to, so that many who come at once delay no
update for long. Nobody waits for ever: after a flush, those that got a piece wait behind all
others.
"""

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Final

from gateway.fanout.catch_up import CatchUp, FrameContext, View
from gateway.fanout.encoding import Frame
from gateway.fanout.positions import Progress, ResumeFrom, ResumePoint
from gateway.fanout.subscriptions import Subscriber, SubscriberGroup, SubscriptionIndex
from gateway.fanout.writes import Kind, Write, joined

PIECES_PER_FLUSH: Final = 4
"""How many pieces a flush writes to a subscriber that takes them all: enough to fill the system's
buffer, so that it reads at full speed, and few enough that the updates of others do not wait."""

BATCH: Final = 8
"""How many subscribers that need the same are served before it is asked whether to go on. It is
asked for each that needs something else, because to make a piece takes far longer than to write it.
"""


class CatchUpQueue:
    """The subscribers that have not got all, in the order of their turns."""

    def __init__(self, index: SubscriptionIndex, catch_up: CatchUp) -> None:
        self._index = index
        self._catch_up = catch_up
        self._waiting: OrderedDict[Subscriber, None] = OrderedDict()

    def __len__(self) -> int:
        """Return how many wait; those that are paused are among them until their turn comes."""
        return len(self._waiting)

    def add(self, subscriber: Subscriber) -> None:
        """Let a subscriber wait behind the others, or go on waiting."""
        self._waiting.setdefault(subscriber)

    def discard(self, subscriber: Subscriber) -> None:
        """Let a subscriber wait no more."""
        self._waiting.pop(subscriber, None)

    def writes(
        self, context: FrameContext, goodbye: Frame | None, may_go_on: Callable[[], bool]
    ) -> Generator[Write]:
        """Yield pieces for those that wait now, in their order, while that may go on.

        `may_go_on` is asked before each BATCH, before those of it that need something else, and
        before each further piece. The first ones get a piece whatever it returns. With
        `goodbye` everyone gets a piece and that.
        """
        unfinished: list[Subscriber] = []
        # Those that come meanwhile wait for the next flush; others may wait no more after a write.
        left = len(self._waiting)
        is_first = True
        while left > 0 and self._waiting and (may_go_on() or is_first):
            is_first = False
            size = min(BATCH, left, len(self._waiting))
            left -= size
            batch = [self._waiting.popitem(last=False)[0] for _ in range(size)]
            unfinished += yield from self._pieces(batch, context, goodbye, may_go_on)
        self._waiting.update(dict.fromkeys(_not_paused(unfinished)))

    def _pieces(
        self,
        waiting: Iterable[Subscriber],
        context: FrameContext,
        goodbye: Frame | None,
        may_go_on: Callable[[], bool],
    ) -> Generator[Write, None, list[Subscriber]]:
        """Yield up to PIECES_PER_FLUSH pieces for each of these subscribers that takes them.

        Return those that have not got all of it.
        """
        for number in range(PIECES_PER_FLUSH):
            unfinished: list[Subscriber] = []
            alike = list(self._alike(waiting))
            for index, (group, resume_from, subscribers) in enumerate(alike):
                if number == 0 and index > 0 and not may_go_on():
                    self._put_back([one for _, _, those in alike[index:] for one in those])
                    return unfinished
                view = View(group.filter, group.has_motion)
                frames, rest = self._catch_up.piece(view, resume_from, context)
                if goodbye is not None:
                    frames, rest = [*frames, goodbye], None
                if rest is None:
                    self._index.set_live(group, subscribers)
                else:
                    self._index.set_position(subscribers, rest)
                    unfinished += subscribers
                yield Write(
                    *joined(frames, group, subscribers, ()),
                    _kind(resume_from),
                    notify=True,
                    closing=goodbye is not None,
                )
            waiting = unfinished
            if not waiting or not may_go_on():
                break
        return unfinished

    def _put_back(self, subscribers: list[Subscriber]) -> None:
        """Let subscribers that were not served wait before all others."""
        for subscriber in reversed(_not_paused(subscribers)):
            self._waiting[subscriber] = None
            self._waiting.move_to_end(subscriber, last=False)

    def _alike(
        self, waiting: Iterable[Subscriber]
    ) -> Iterator[tuple[SubscriberGroup, ResumeFrom, list[Subscriber]]]:
        """Yield the waiting subscribers together with those that get the same piece."""
        alike: dict[tuple[SubscriberGroup, ResumeFrom], list[Subscriber]] = {}
        for subscriber in _not_paused(waiting):
            resume_from = self._catch_up.covered(subscriber.resume_from)
            assert subscriber.group is not None
            alike.setdefault((subscriber.group, resume_from), []).append(subscriber)
        for (group, resume_from), subscribers in alike.items():
            yield group, resume_from, subscribers


def _not_paused(subscribers: Iterable[Subscriber]) -> list[Subscriber]:
    """Return those to write to; one that was paused meanwhile waits again when resumed."""
    return [one for one in subscribers if one.group is not None and not one.is_paused]


def _kind(resume_from: ResumeFrom) -> Kind:
    if resume_from is None:
        return "snapshot"
    if isinstance(resume_from, Progress):
        return "next_piece"
    return "catch_up" if isinstance(resume_from, ResumePoint) else "recovered"
