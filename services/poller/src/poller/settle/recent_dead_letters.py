"""Recent dead letters: the last ones of this poller, for operators."""

import re
from collections import deque
from typing import Final

from contract.messages import Rejection
from contract.topics import is_pillow_id
from poller.in_flight import InFlightMessage
from poller.settle.recent_dead_letter import RecentDeadLetter
from runtime.clocks import unix_ms

MAX_RECENT: Final = 64

_NAMED: Final = re.compile(r'"pillow"\s*:\s*"([a-z0-9-]{1,63})"')


class RecentDeadLetters:
    """The last dead letters, the oldest first."""

    def __init__(self) -> None:
        self._letters: deque[RecentDeadLetter] = deque(maxlen=MAX_RECENT)

    def add(self, message: InFlightMessage, rejection: Rejection, letter: str | None) -> None:
        """Add a message that was copied to the poison queue."""
        pillow = named_pillow(message.delivery.body.text)
        self._letters.append(
            RecentDeadLetter(unix_ms(), letter, pillow, str(rejection.reason), rejection.detail)
        )

    def of(self, pillow: str) -> list[RecentDeadLetter]:
        """Return those whose text names a pillow, the newest first."""
        return [one for one in reversed(self._letters) if one.pillow == pillow]

    def all(self) -> list[RecentDeadLetter]:
        """Return all of them, the newest first."""
        return list(reversed(self._letters))


def named_pillow(text: str) -> str | None:
    """Return the pillow that a message names, whatever else is wrong with it; None if none."""
    found = _NAMED.search(text)
    return found[1] if found is not None and is_pillow_id(found[1]) else None
