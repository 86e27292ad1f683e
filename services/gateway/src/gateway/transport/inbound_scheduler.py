"""Hearing: what browsers say is taken in by turns, for a share of the time.

A few words are taken in as they come.
Who says more than that at once, or speaks while others have used up the time, is not read on until
its turn: what it says then waits in its own system, and everybody is told what happens meanwhile.
"""

import asyncio
import time
from typing import Final, Protocol

from gateway.transport.cpu_budget import Share

PIECE_BYTES: Final = 2048
"""How much is taken in at once: some hundred pings, a few milliseconds."""


class Speaker(Protocol):
    """Who says something, and on which transport."""

    transport: asyncio.Transport

    def take_in(self, data: bytes) -> None:
        """Read what was said, and act on it."""


class Hearing:
    """Everyone whose words wait; a speaker's are taken in in order."""

    def __init__(self) -> None:
        self._share = Share(time.monotonic())
        self._waiting: dict[Speaker, bytes] = {}  # whose turn it is comes first
        self._asked: asyncio.Handle | None = None

    def __contains__(self, speaker: object) -> bool:
        """Say whether something that a speaker said waits."""
        return speaker in self._waiting

    def hear(self, speaker: Speaker, data: bytes) -> None:
        """Have a speaker take in what it said: at once, or in its turn."""
        if (
            len(data) <= PIECE_BYTES
            and not self._waiting
            and self._share.wait_s(time.monotonic()) == 0
        ):
            self._take_in(speaker, data)
            return
        self._waiting[speaker] = self._waiting.get(speaker, b"") + data
        speaker.transport.pause_reading()
        self._ask()

    def forget(self, speaker: Speaker) -> None:
        """Drop what a speaker said that waits; it is gone."""
        self._waiting.pop(speaker, None)

    def _take_in(self, speaker: Speaker, data: bytes) -> None:
        began_s = time.monotonic()
        speaker.take_in(data)
        self._share.spend(time.monotonic() - began_s)

    def _ask(self) -> None:
        if self._asked is None and self._waiting:
            wait_s = self._share.wait_s(time.monotonic())
            self._asked = asyncio.get_running_loop().call_later(wait_s, self._turn)

    def _turn(self) -> None:
        """Take in a piece of what one has said; if there is more, its next turn is after all."""
        self._asked = None
        if not self._waiting:
            return
        speaker = next(iter(self._waiting))
        data = self._waiting.pop(speaker)
        if len(data) > PIECE_BYTES:
            self._waiting[speaker] = data[PIECE_BYTES:]
        else:
            speaker.transport.resume_reading()
        try:
            self._take_in(speaker, data[:PIECE_BYTES])
        finally:
            self._ask()
