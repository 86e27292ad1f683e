"""What a test does with a page, in any engine."""

import asyncio
import time
from typing import Any, Final, Protocol

ENTER: Final = "\ue007"
ESCAPE: Final = "\ue00c"
"""Key codes of WebDriver: https://www.w3.org/TR/webdriver/#keyboard-actions"""

POLL_S: Final = 0.05


class EnginePage(Protocol):
    """One page in a browser."""

    async def open(self, url: str) -> None:
        """Load an address, and wait until the document is complete."""

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, or of the promise that it is, as JSON."""

    async def resize(self, width: int, height: int) -> None:
        """Give the page this size in CSS pixels."""

    async def press(self, key: str) -> None:
        """Press and release a key: a character, or one of the key codes above."""

    async def screenshot(self) -> bytes:
        """Return what is in sight, as PNG."""

    def faults(self) -> list[str]:
        """Return the errors and warnings of the console so far, with uncaught exceptions."""


async def until(page: EnginePage, expression: str, *, within_s: float = 15.0) -> None:
    """Return when a JavaScript expression is true; fail after `within_s`."""
    deadline = time.monotonic() + within_s
    while not await page.evaluate(expression):
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {expression}"
        await asyncio.sleep(POLL_S)
