"""Past states that this process has heard, as long as its memory keeps them."""

import asyncio
from collections.abc import AsyncIterator
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from contract.timestamps import parse_timestamp
from gateway.past.source import Days
from gateway.state.history import History
from history.episodes import Episode, observe
from history.listening import Listening
from history.pages import Page, Position
from runtime.queue_aware_clock import Clock

STEP: Final = 500
"""How many states are looked at before the event loop has its turn: about a millisecond."""


class _Fields(msgspec.Struct):
    """What is read of a state; `since` tells one that the gateway made itself."""

    state: str
    at: str
    seq: int = 0
    since: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Fields)


class _Kept(NamedTuple):
    at_us: int
    seq: int
    state: str
    is_made: bool
    payload: bytes


class MemoryPast:
    """The gateway's own memory: what it has heard since its start, and still keeps."""

    def __init__(self, history: History, clock: Clock) -> None:
        self._history = history
        self._clock = clock
        self._listening = Listening()

    def on_ready(self) -> None:
        """Note that the broker delivers every state from now on."""
        self._listening.start(self._clock.monotonic_ms())

    def on_lost(self) -> None:
        """Note that the broker is away."""
        self._listening.stop(self._clock.monotonic_ms(), self._now_us())

    async def page(self, pillow: str, first: Position, until_us: int, limit: int) -> Page | None:
        """Return at most `limit` states from a position on; see PastStates."""
        if not self._history.last_number(pillow):
            return None
        found: list[_Kept] = []
        async for one in self._walk(pillow):
            if first <= (one.at_us, one.seq) and one.at_us < until_us:
                found.append(one)
                if len(found) > limit:
                    break
        following = (found[limit].at_us, found[limit].seq) if len(found) > limit else None
        return Page([one.payload.decode() for one in found[:limit]], following)

    async def days(self, pillow: str, from_us: int, until_us: int) -> Days | None:
        """Return the episodes of a pillow in a time; see PastStates."""
        if not self._history.last_number(pillow):
            return None
        episodes: dict[int, Episode] = {}
        last: Episode | None = None
        async for one in self._walk(pillow):
            if one.is_made:
                continue
            for episode in observe(last, one.at_us, one.state):
                episodes[episode.began_us] = last = episode
        within = [
            one for one in episodes.values() if one.ended_us >= from_us and one.began_us < until_us
        ]
        current = self._listening.span(self._clock.monotonic_ms(), self._now_us())
        return Days(within, [*self._listening.ended(), *([current] if current else [])])

    async def _walk(self, pillow: str) -> AsyncIterator[_Kept]:
        """Yield the states of a pillow, oldest first; the history may change meanwhile."""
        number, last = 0, self._history.last_number(pillow)
        while number < last:
            step = list(islice(self._history.states_after(pillow, number), STEP))
            if not step:
                return
            number = step[-1][0]
            for _, payload in step:
                fields = _DECODER.decode(payload)
                at_us = parse_timestamp(fields.at)
                assert at_us is not None, f"a state in memory has at {fields.at!r}"
                is_made = fields.since is not None
                yield _Kept(at_us, fields.seq, fields.state, is_made, payload)
            await asyncio.sleep(0)

    def _now_us(self) -> int:
        return self._clock.read().best_ms * 1000
