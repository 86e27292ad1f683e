"""Long walks in steps, so that updates do not wait for the end of one."""

import asyncio
from collections.abc import Iterator
from typing import Final

SWEPT_IN_A_TURN: Final = 16
"""How many steps are done before updates and others have their turn of the event loop:
a thousand that are due together would hold it for 20 ms."""


async def in_turns(steps: Iterator[None]) -> None:
    """Do all steps, and let the event loop run after each SWEPT_IN_A_TURN of them."""
    for done, _ in enumerate(steps, start=1):
        if done % SWEPT_IN_A_TURN == 0:
            await asyncio.sleep(0)
