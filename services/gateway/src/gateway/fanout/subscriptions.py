"""Audiences: who gets the same bytes, found from a pillow without a walk over everybody. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from contract.cursors import Cursor
from contract.frames import Broker
from gateway.fanout.encoding import Form
from gateway.state.state_store import Change

Interest = frozenset[str] | None
"""Which pillows a listener wants; None means all."""


Outlet: TypeAlias = Any
"""What a listener is sent by while nothing waits for it; it is only kept here, for who writes."""


class Mark(NamedTuple):
    """Up to where a listener had been told everything when it stopped reading."""

    offset: int
    broker: Broker


class Listener:
    """One browser, as far as the fan-out knows it.

    `since` is where it resumes from until it has its snapshot, `mark` where it stopped reading.
    While it is live nothing waits before what comes next, so that it may go to its `outlet`.
    """

    __slots__ = ("audience", "mark", "outlet", "since", "stalled")

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet
        self.audience: Audience | None = None
        self.since: Cursor | None = None
        self.mark: Mark | None = None
        self.stalled = False

    @property
    def is_live(self) -> bool:
        """Whether it has its snapshot, reads, and so gets what is told to its audience."""
        return self.audience is not None and self in self.audience.live

    def write(self, data: bytes | memoryview) -> None:
        """Take the bytes that it is to get; what does not fit waits, and it is stalled at once."""
        raise NotImplementedError

    def caught_up(self, *, closing: bool) -> None:
        """Go on after the bytes that were for it alone; `closing` says that they end it."""


class Audience:
    """Everyone with one interest and one form.

    `live` are those who read, with their outlets, so that whoever writes has them all at hand; the
    others catch up.
    """

    __slots__ = ("form", "interest", "live", "members")

    def __init__(self, interest: Interest, form: Form) -> None:
        self.interest = interest
        self.form = form
        # In the order in which they came, as memory has them.
        self.live: dict[Listener, Outlet] = {}
        self.members = 0


class Audiences:
    """All audiences, by the pillows they want."""

    def __init__(self) -> None:
        self._all: dict[tuple[Interest, Form], Audience] = {}
        self._of_pillow: dict[str, set[Audience]] = {}
        self._members = 0

    def __len__(self) -> int:
        return self._members

    def __iter__(self) -> Iterator[Audience]:
        return iter(list(self._all.values()))

    def enter(self, listener: Listener, interest: Interest, form: Form) -> None:
        """Put a listener into its audience; it is not live yet."""
        audience = self._all.get((interest, form))
        if audience is None:
            audience = self._all[interest, form] = Audience(interest, form)
            for pillow in interest or ():
                self._of_pillow.setdefault(pillow, set()).add(audience)
        audience.members += 1
        self._members += 1
        listener.audience = audience

    def leave(self, listener: Listener) -> None:
        """Take a listener out of its audience; the last one takes the audience along."""
        audience = listener.audience
        if audience is None:
            return
        listener.audience = None
        audience.live.pop(listener, None)
        audience.members -= 1
        self._members -= 1
        if audience.members:
            return
        del self._all[audience.interest, audience.form]
        for pillow in audience.interest or ():
            audiences = self._of_pillow[pillow]
            audiences.discard(audience)
            if not audiences:
                del self._of_pillow[pillow]

    def touched(self, changes: Sequence[Change]) -> dict[Audience, Sequence[Change]]:
        """Return whom changes concern, each with those that it wants, in order."""
        wanted: dict[Audience, list[Change]] = {}
        for change in changes:
            for audience in self._of_pillow.get(change.pillow, ()):
                wanted.setdefault(audience, []).append(change)
        return {**self._everything(changes), **wanted}

    def _everything(self, changes: Sequence[Change]) -> dict[Audience, Sequence[Change]]:
        found = (self._all.get((None, form)) for form in Form)
        return {audience: changes for audience in found if audience is not None}


def wanted_of(changes: Iterable[Change], interest: Interest) -> list[Change]:
    """Return the changes of the pillows that an interest names."""
    return [change for change in changes if interest is None or change.pillow in interest]
