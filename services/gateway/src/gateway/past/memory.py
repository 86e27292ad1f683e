"""Past states that this process has heard, as long as its memory keeps them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from contract.timestamps import parse_timestamp
from gateway.state.history import History
from history.episodes import Episode, observe
from history.hugs import HUGGING, Hugs, count_hugs
from history.listening import Listening
from history.pages import Page, Position
from history.spans import Span, merged
from history.summary import until_now
from history.tallies import Activity, TallyCounter, combine, unheard_pieces
from runtime.queue_aware_clock import Clock

STEP: Final = 200
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
        self._turn = asyncio.Lock()

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

    async def activity(self, pillow: str, spans: Sequence[Span], now_us: int) -> Activity | None:
        """Return what a pillow did in spans; see PastStates."""
        if not self._history.last_number(pillow):
            return None
        pieces = unheard_pieces(spans, merged(self._heard(now_us)))
        counter, in_pieces = TallyCounter(spans), TallyCounter([one for _, one in pieces])
        async for episode in self._episodes(pillow):
            counter.add(episode)
            in_pieces.add(episode)
        return combine(spans, counter.tallies, pieces, in_pieces.tallies)

    async def hugs(self, from_us: int, until_us: int) -> Mapping[str, Hugs]:
        """Return the hugs of each pillow; see PastStates."""
        found = {}
        for pillow in self._history.pillows():
            episodes = [one async for one in self._episodes(pillow) if one.state == HUGGING]
            hugs = count_hugs(episodes, from_us, until_us)
            if hugs is not None:
                found[pillow] = hugs
        return found

    def since_us(self) -> int | None:
        """Return from when on there is everything that was heard; see PastStates."""
        now_us = self._now_us()
        heard = self._heard(now_us)
        since_us = min((began_us for began_us, _ in heard), default=now_us)
        oldest = self._history.oldest_after_eviction
        kept_us = parse_timestamp(_DECODER.decode(oldest).at) if oldest is not None else None
        return since_us if kept_us is None else max(since_us, kept_us)

    def _heard(self, now_us: int) -> list[Span]:
        current = self._listening.span(self._clock.monotonic_ms(), self._now_us())
        return until_now([*self._listening.ended(), *([current] if current else [])], now_us)

    async def _episodes(self, pillow: str) -> AsyncIterator[Episode]:
        """Yield the episodes of a pillow, oldest first."""
        last: Episode | None = None
        async for one in self._walk(pillow):
            if one.is_made:
                continue
            for episode in observe(last, one.at_us, one.state):
                if last is not None and episode.began_us != last.began_us:
                    yield last
                last = episode
        if last is not None:
            yield last

    async def _walk(self, pillow: str) -> AsyncIterator[_Kept]:
        """Yield the states of a pillow, oldest first; the history may change meanwhile."""
        number, last = 0, self._history.last_number(pillow)
        while number < last:
            # One step of all walks in each turn of the event loop: many requests at once are
            # answered late, and updates are not.
            async with self._turn:
                await asyncio.sleep(0)
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

    def _now_us(self) -> int:
        return self._clock.read().best_us
