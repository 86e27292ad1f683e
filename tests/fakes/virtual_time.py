"""Virtual time: an event loop whose clock moves to the next timer instead of waiting for it."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class _SkippingSelector(selectors.SelectSelector):
    """Advances the clock of its loop by the timeout of a select instead of waiting."""

    loop: "_VirtualTimeLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise AssertionError("every task waits and no timer is set: a deadlock")
        self.loop.now += max(timeout, 0.0)
        return ready


class _VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.now = 0.0
        selector = _SkippingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def virtual_time(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Run each call of a coroutine function on a new loop, whose time starts at 0."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with asyncio.Runner(loop_factory=_VirtualTimeLoop) as runner:
            return runner.run(function(*args, **kwargs))

    return run


def now() -> float:
    """Return the time of the running loop, in seconds."""
    return asyncio.get_running_loop().time()


def pause(seconds: float) -> None:
    """Let time pass in which the running loop does nothing, as in a process that is stopped."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _VirtualTimeLoop)
    loop.now += seconds
