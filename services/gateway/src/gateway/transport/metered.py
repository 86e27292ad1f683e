"""Metered: a coroutine whose time on the event loop is charged to somebody."""

import time
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any


class Metered:
    """An awaitable that runs a coroutine, and charges each step of it when it is done."""

    __slots__ = ("_charge", "_coroutine")

    def __init__(self, coroutine: Awaitable[None], charge: Callable[[float], None]) -> None:
        """`charge` is called with seconds."""
        self._coroutine = coroutine
        self._charge = charge

    def __await__(self) -> Generator[Any, Any, None]:
        """Run the coroutine to its end."""
        coroutine = self._coroutine.__await__()
        step: Callable[[], Any] = partial(next, coroutine)
        while True:
            began_s = time.monotonic()
            try:
                awaited = step()
            except StopIteration:
                return
            finally:
                self._charge(time.monotonic() - began_s)
            try:
                yield awaited
                step = partial(next, coroutine)
            except BaseException as error:
                step = partial(coroutine.throw, error)
