"""Calls across a process boundary: numbered, and each can be made to fail."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum

MAX_CALLS = 20_000
"""More calls than any test makes; a process that makes more is in a tight loop."""


class Fault(Enum):
    """How a call to the queue or the broker fails."""

    LOST_REQUEST = "the request never arrives"
    LOST_ANSWER = "it is done, but the answer never arrives"
    DENIED = "the request is refused"
    THROTTLED = "the request is refused for a while, with Retry-After"
    CRASH_BEFORE = "the caller dies before it is done"
    CRASH_AFTER = "the caller dies after it is done, before the answer"


CRASHES = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
FAILURES = (Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.DENIED, Fault.THROTTLED)


class Calls:
    """The calls of one process, numbered from 1.

    `plan` gives the fault of a call by its number, `fault` by its operation.
    """

    def __init__(
        self,
        plan: Mapping[int, Fault] | None = None,
        *,
        fault: Callable[[str], Fault | None] = lambda _operation: None,
    ) -> None:
        self.made: list[str] = []
        self.most_concurrent: Counter[str] = Counter()
        self.fault = fault
        self.crashed = asyncio.Event()
        self._plan = dict(plan or {})

    def begin(self, operation: str) -> Fault | None:
        """Count a call; returns its fault, if it has one."""
        self.made.append(operation)
        if len(self.made) > MAX_CALLS:
            raise AssertionError(f"{MAX_CALLS} calls, the last of them {operation}: a tight loop")
        return self._plan.get(len(self.made)) or self.fault(operation)

    def crash(self) -> None:
        """Make everything that this process does from now on have no effect."""
        self.crashed.set()
