"""Which pillows are `online` and which `offline`, and which of these words a poller writes. Pure.

A poller writes the word of a pillow whose states come by the queue. It never replaces a word that
the pillow has written itself, with one exception: an `offline` is out of date when a state comes by
the queue after it.

Pollers do not answer each other, so that two that disagree cannot write for ever. A poller writes
`online` when it publishes a state, and `offline` once in each silence.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from contract.topics import OFFLINE, ONLINE
from contract.updates import EXPIRY_S
from poller.presence.words_above_limit import Author, HeardWord, WordsAboveLimit
from runtime.expiry_schedule import ExpirySchedule

EXPIRY_MS: Final = EXPIRY_S * 1000
RENEWAL_MS: Final = EXPIRY_MS // 2
"""After how long an `online` is written again, because a broker drops it after EXPIRY_S."""


class Word(NamedTuple):
    """A word to write: `online`, `offline`, or empty to clear it."""

    pillow: str
    payload: bytes


@dataclass(slots=True)
class _Pillow:
    """What is known of a pillow. Times are in milliseconds of one monotonic clock.

    `word` is what the broker has, as far as it is known; None: nothing.
    `has_state`: the broker has sent, or been given, a state of it on this connection.
    """

    seen_ms: int
    by_queue: bool = False
    has_state: bool = False
    word: bytes | None = None
    author: Author = "unknown"
    written_ms: int = 0

    @property
    def is_kept(self) -> bool:
        """Whether pollers write its word."""
        if self.word is None or self.author == "unknown":
            return self.by_queue
        return self.author == "poller"


class Availability:
    """The words of at most `max_pillows`.

    Above the limit a newcomer takes the place of the pillow that has been `offline` for longest,
    whose word stays as it is. If no pillow is `offline`, the newcomer has no word, and `on_refused`
    is called with each of its states and words; what the broker has of it is kept for when there is
    room. If too much is heard to keep all of it, a newcomer of which no word is known is refused in
    the same way (`WordsAboveLimit`). `has_state` returns whether this poller has a state of a
    pillow, which the broker may lack.
    """

    def __init__(
        self,
        offline_after_ms: int,
        max_pillows: int,
        on_refused: Callable[[str], None] = lambda _pillow: None,
        has_state: Callable[[str], bool] = lambda _pillow: False,
    ) -> None:
        self._offline_after_ms = offline_after_ms
        self._max_pillows = max_pillows
        self._on_refused = on_refused
        self._has_state = has_state
        self._pillows: dict[str, _Pillow] = {}
        self._above_limit = WordsAboveLimit(max_pillows)
        self._offline: dict[str, None] = {}  # the longest first
        self._deadlines = ExpirySchedule()

    def __len__(self) -> int:
        return len(self._pillows)

    def __contains__(self, pillow: str) -> bool:
        return pillow in self._pillows

    @property
    def offline(self) -> int:
        """How many are `offline`."""
        return len(self._offline)

    def word(self, pillow: str) -> bytes | None:
        """Return the word that the broker has of a pillow, as far as it is known."""
        known = self._pillows.get(pillow)
        return None if known is None else known.word

    def begin_connection(self) -> None:
        """Forget what the broker has, because it may have lost it; it sends all of it again."""
        self._offline.clear()
        self._above_limit.clear()
        for known in self._pillows.values():
            known.word, known.author, known.has_state = None, "unknown", False

    def end_retained(self) -> None:
        """Note that the broker has sent all that it has: what it lacks may have to be written."""
        for pillow, known in self._pillows.items():
            if known.word is None:
                self._schedule(pillow, known)

    def receive_state(
        self, pillow: str, seen_ms: int, now_ms: int | None, *, by_queue: bool
    ) -> Word | None:
        """Note a state of a pillow that was seen at `seen_ms`, which `correct` may replace.

        Returns the word that has to be written. Without `now_ms` it is none: another poller writes
        it, or the broker had retained the state.
        """
        known = self._pillows.get(pillow)
        if known is None and by_queue:
            if self._above_limit.admits(pillow):
                known = self._add(pillow, seen_ms)
            else:
                self._on_refused(pillow)
        if known is None:
            return None
        known.by_queue, known.has_state = by_queue, True
        known.seen_ms = max(known.seen_ms, seen_ms)
        if now_ms is None or known.word == ONLINE:
            return None
        if now_ms - known.seen_ms >= self._offline_after_ms:
            return None
        if not known.is_kept and not (by_queue and known.word == OFFLINE):
            return None
        return self._write(pillow, known, ONLINE, now_ms)

    def correct(self, pillow: str, seen_ms: int) -> None:
        """Replace when a pillow was seen, if that turns out to be longer ago."""
        known = self._pillows.get(pillow)
        if known is not None and seen_ms < known.seen_ms:
            known.seen_ms = seen_ms
            self._schedule(pillow, known)

    def receive_word(self, pillow: str, payload: bytes, author: Author, written_ms: int) -> None:
        """Note a word that the broker sent; empty: it was cleared."""
        known = self._pillows.get(pillow)
        if known is None and payload:
            # The author counts only together with a state, which may come later.
            known = self._add(pillow, written_ms)
        if known is None:
            self._above_limit.note(pillow, HeardWord(payload, author, written_ms))
            return
        if author == "unknown" and known.author == "poller":
            author = self._guessed(known, payload, written_ms)
        known.word, known.author, known.written_ms = payload or None, author, written_ms
        self._offline.pop(pillow, None)
        if payload == OFFLINE:
            self._offline[pillow] = None
        else:
            self._schedule(pillow, known)

    def _guessed(self, known: _Pillow, payload: bytes, now_ms: int) -> Author:
        """Return the author of a word without a property that follows a word of a poller.

        A poller writes `online` only with a state, so that an `online` in a silence is the pillow's
        own.
        """
        if payload == known.word:
            return "poller"  # what this poller wrote comes back
        in_silence = self._deadline_ms(known) <= now_ms
        return "pillow" if payload == ONLINE and in_silence else "unknown"

    def remove(self, pillow: str) -> Word | None:
        """Forget a pillow that was removed; returns the word that clears its availability."""
        known = self._pillows.get(pillow)
        if known is None:
            return None
        # The broker may have a word though none is known: `receive_word` forgets one that crossed
        # another one.
        is_written = known.is_kept and (known.word is not None or known.written_ms > 0)
        if known.is_kept or known.word is None:
            self._forget(pillow)
        else:
            known.by_queue = known.has_state = False  # the word is the pillow's, and stays
        return Word(pillow, b"") if is_written else None

    def due(self, caught_up_ms: int, now_ms: int) -> Iterator[Word | None]:
        """Walk over the pillows whose silence, or word, is old enough; None: nothing to write.

        Every message that was on the queue at `caught_up_ms` has been received, so silence counts
        until then.
        """
        for pillow in self._deadlines.pop_due(caught_up_ms):
            known = self._pillows[pillow]
            word: Word | None = None
            if self._deadline_ms(known) > caught_up_ms:
                self._schedule(pillow, known)
                if known.word == ONLINE and known.is_kept:
                    word = self._renew(pillow, known, now_ms)
            elif known.is_kept and known.word != OFFLINE:
                self._look_later(pillow, known, caught_up_ms)
                word = self._write(pillow, known, OFFLINE, now_ms)
            elif known.word != ONLINE and caught_up_ms - known.seen_ms >= EXPIRY_MS:
                self._forget(pillow)  # the broker has dropped its state
            else:
                self._look_later(pillow, known, caught_up_ms)
            yield word

    def orphans(self) -> list[str]:
        """Return the pillows that have a word of a poller and no state."""
        return [
            pillow
            for pillow, known in self._pillows.items()
            if known.word is not None
            and known.author == "poller"
            and not (known.has_state or self._has_state(pillow))
        ]

    def _deadline_ms(self, known: _Pillow) -> int:
        return known.seen_ms + self._offline_after_ms

    def _schedule(self, pillow: str, known: _Pillow) -> None:
        """Look at a pillow when it is silent, unless it is looked at before."""
        self._deadlines.schedule(pillow, self._deadline_ms(known))

    def _look_later(self, pillow: str, known: _Pillow, now_ms: int) -> None:
        """Look at a silent pillow again when the broker drops its state."""
        later_ms = max(known.seen_ms + EXPIRY_MS, now_ms + self._offline_after_ms)
        self._deadlines.schedule(pillow, later_ms)

    def _renew(self, pillow: str, known: _Pillow, now_ms: int) -> Word | None:
        if now_ms - known.written_ms < RENEWAL_MS:
            return None
        return self._write(pillow, known, ONLINE, now_ms)

    def _add(self, pillow: str, seen_ms: int) -> _Pillow | None:
        """Add a pillow, if there is room for it, with the word that was heard of it before."""
        is_full = len(self._pillows) >= self._max_pillows
        if is_full and not self._offline:
            self._on_refused(pillow)
            return None
        known = _Pillow(seen_ms)
        if (word := self._above_limit.take(pillow)) is not None:
            known.word, known.author, known.written_ms = word
        if is_full:
            self._displace(next(iter(self._offline)))
        self._pillows[pillow] = known
        if known.word == OFFLINE:
            self._offline[pillow] = None
        self._schedule(pillow, known)
        return known

    def _displace(self, pillow: str) -> None:
        """Forget an `offline` pillow, and keep its word: the pillow may come back."""
        known = self._pillows[pillow]
        self._above_limit.note(pillow, HeardWord(OFFLINE, known.author, known.written_ms))
        self._forget(pillow)

    def _write(self, pillow: str, known: _Pillow, payload: bytes, now_ms: int) -> Word:
        known.word, known.author, known.written_ms = payload, "poller", now_ms
        if payload == OFFLINE:
            self._offline[pillow] = None
        else:
            self._offline.pop(pillow, None)
            self._schedule(pillow, known)
        return Word(pillow, payload)

    def _forget(self, pillow: str) -> None:
        del self._pillows[pillow]
        self._offline.pop(pillow, None)
        self._deadlines.cancel(pillow)
