"""Time that passes only while everybody waits: an hour of backing off takes no time at all."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Skipping(selectors.SelectSelector):
    """Instead of waiting for the next timer, goes to its time."""

    loop: "_VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise AssertionError("everybody waits, and nothing will ever happen")
        self.loop.now += max(timeout, 0.0)
        return ready


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.now = 0.0
        selector = _Skipping()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def in_virtual_time(story: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop whose clock starts at 0 and skips all waiting."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(story)
