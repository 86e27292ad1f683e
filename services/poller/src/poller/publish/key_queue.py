"""The states of one pillow that are to be published: waiting, in flight, or to be retried."""

import asyncio
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from contract.messages import ParsedMessage
from poller.in_flight import InFlightMessage

MAX_SENDS: Final = 3
"""How often the publish of a message may end with a lost connection; then it is abandoned.

Otherwise a message that makes the broker close the connection would be sent for ever; abandoned,
it becomes a dead letter after its last attempt. Without a connection nothing is sent or counted.
The last send is made alone, so that no message in flight beside it is counted for its fault.
"""


@dataclass(slots=True, eq=False)
class PendingState:
    """A message in flight and the state that it holds."""

    message: InFlightMessage
    state: ParsedMessage


@dataclass(slots=True, eq=False)
class KeyQueue:
    """One pillow's states.

    Waiting states are sent when none is in flight, because an older state must not overtake a
    newer one.
    """

    pillow: str
    waiting: list[PendingState] = field(default_factory=list)
    retry: list[PendingState] = field(default_factory=list)
    """States that have to be sent again when none is in flight."""
    in_flight: int = 0
    is_stale: bool = False
    """Whether the broker confirmed a state that is older than the last write."""
    is_scheduled: bool = False
    """Whether a task exists that sends the waiting states later."""
    drained: asyncio.Event | None = None
    """Set for the task that waits until no state is in flight, if there is one."""

    def next_batch(self, *, newest_only: bool) -> list[PendingState]:
        """Remove and return the waiting states to send now, oldest first.

        With `newest_only` it is the newest of them; the others stay, and are superseded when it is
        confirmed. The batch is empty when the oldest state has to be sent alone.
        """
        assert self.in_flight == 0, f"{self.pillow}: {self.in_flight} states are in flight"
        self.waiting.sort(key=_order)
        ready = list(takewhile(_may_be_pipelined, self.waiting))
        first = len(ready) - 1 if newest_only and ready else 0
        batch = ready[first:]
        self.waiting[first : len(ready)] = []
        return batch

    @property
    def must_send_alone(self) -> bool:
        """Whether the oldest waiting state has to be sent alone."""
        self.waiting.sort(key=_order)
        return not _may_be_pipelined(self.waiting[0])

    def retry_later(self) -> None:
        """Move the states that have to be sent again to the waiting ones."""
        self.waiting += self.retry
        self.retry = []


def _order(pending: PendingState) -> tuple[int, int]:
    return pending.state.order


def _may_be_pipelined(pending: PendingState) -> bool:
    """Return whether a state may be sent while others are in flight."""
    return pending.message.lost_sends < MAX_SENDS - 1
