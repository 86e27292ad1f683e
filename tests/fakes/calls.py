"""Calls across a process boundary, numbered, each of which can be made to go wrong."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum

MOST_CALLS = 20_000


class Fault(Enum):
    """How a call to the queue or the broker goes wrong."""

    LOST_REQUEST = "the request never arrives"
    LOST_ANSWER = "it is done, but the answer never arrives"
    DENIED = "the answer is no"
    THROTTLED = "the answer is: not now, and leave me alone for a while"
    CRASH_BEFORE = "the caller dies before it is done"
    CRASH_AFTER = "the caller dies when it is done, before the answer"


CRASHES = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
FAILURES = (Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.DENIED, Fault.THROTTLED)


class Calls:
    """The calls of one process, from 1; `plan` says which of them go wrong, and how."""

    def __init__(
        self,
        plan: Mapping[int, Fault] | None = None,
        *,
        fault: Callable[[str], Fault | None] = lambda _act: None,
    ) -> None:
        self.made: list[str] = []
        self.most_under_way: Counter[str] = Counter()
        self.fault = fault
        self.crashed = asyncio.Event()
        self._plan = dict(plan or {})

    def begin(self, act: str) -> Fault | None:
        """Count a call; return how it is to go wrong, if it is."""
        self.made.append(act)
        if len(self.made) > MOST_CALLS:
            raise AssertionError(f"{MOST_CALLS} calls, the last of them {act}: a tight loop")
        return self._plan.get(len(self.made)) or self.fault(act)

    def crash(self) -> None:
        """Let nothing that this process does from now on have an effect."""
        self.crashed.set()
