"""Catch-up: what a subscriber that is not live has to get before it is. Pure.

A new client gets a snapshot of everything in its filter, a client that resumes from a cursor a
snapshot of what changed after it, and a subscriber that was paused the newest state of each pillow
that changed meanwhile.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

from contract.cursors import Cursor
from contract.frames import Status, encode_frame, encode_removed, encode_snapshot
from gateway.fanout.coalescing import encode_changes
from gateway.fanout.encoding import Frame
from gateway.fanout.subscriptions import Filter, ResumeFrom, ResumePoint, matching
from gateway.state.state_store import Change, StateStore

CACHE_MS: Final = 20
"""How long frames are kept for other subscribers that need the same, in milliseconds; they are
dropped earlier when anything changes."""

CACHE_SIZE: Final = 64
"""How many different catch-ups are kept: those of many clients that all differ are not shared."""


class CatchUp:
    """Makes the frames that a subscriber missed, once for all that missed the same."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._cache: dict[tuple[Filter, ResumeFrom], list[Frame]] = {}
        self._cached_at: tuple[Cursor, Status] = (store.cursor, Status("offline"))
        self._cached_ms = 0

    def covered(self, resume_from: ResumeFrom) -> ResumeFrom:
        """Return where a subscriber resumes; None when the log lacks some of what it missed.

        So all clients with cursors of another process share one snapshot, however they differ.
        """
        if isinstance(resume_from, ResumePoint):
            cursor: Cursor | None = self._store.cursor._replace(offset=resume_from.offset)
        else:
            cursor = resume_from
        return resume_from if self._store.covers(cursor) else None

    def frames(
        self,
        filter: Filter,
        resume_from: ResumeFrom,
        status: Status,
        now_ms: int,
        queue_offset_ms: int | None = None,
    ) -> list[Frame]:
        """Return the frames for subscribers with this filter that resume from there.

        `resume_from` is covered, `status` is the broker's now, `now_ms` in Unix milliseconds.
        """
        self._drop_outdated(status, now_ms)
        frames = self._cache.get((filter, resume_from))
        if frames is None:
            if len(self._cache) >= CACHE_SIZE:
                self._cache.clear()
            frames = list(self._encode(filter, resume_from, status, now_ms, queue_offset_ms))
            self._cache[filter, resume_from] = frames
        return frames

    def _drop_outdated(self, status: Status, now_ms: int) -> None:
        is_current = self._cached_at == (self._store.cursor, status)
        if not is_current or not 0 <= now_ms - self._cached_ms <= CACHE_MS:
            self._cache.clear()
            self._cached_at, self._cached_ms = (self._store.cursor, status), now_ms

    def _encode(
        self,
        filter: Filter,
        resume_from: ResumeFrom,
        status: Status,
        now_ms: int,
        queue_offset_ms: int | None,
    ) -> Iterator[Frame]:
        snapshot = partial(
            self._snapshot, status=status, now_ms=now_ms, queue_offset_ms=queue_offset_ms
        )
        if isinstance(resume_from, ResumePoint):
            missed = self._missed(filter, resume_from.offset)
            yield from encode_changes(missed, self._store.cursor.epoch, now_ms)
            if resume_from.status != status:
                yield Frame(encode_frame(status))
        elif resume_from is not None:
            missed = self._missed(filter, resume_from.offset)
            states = [change.payload for change in missed if change.payload is not None]
            removed = [change.pillow for change in missed if change.payload is None]
            yield snapshot(states, recovered=True)
            if removed:
                cursor = self._store.cursor
                yield Frame(encode_removed(cursor, removed), cursor, updates=len(removed))
        else:
            yield snapshot(self._states(filter), recovered=False)

    def _missed(self, filter: Filter, offset: int) -> list[Change]:
        changes = matching(self._store.changes_after(offset), filter)
        assert len({change.pillow for change in changes}) == len(changes), "a pillow is sent twice"
        return changes

    def _states(self, filter: Filter) -> list[bytes]:
        if filter is None:
            return list(self._store.states())
        states = (self._store.state(pillow) for pillow in sorted(filter))
        return [state for state in states if state is not None]

    def _snapshot(
        self,
        states: list[bytes],
        *,
        recovered: bool,
        status: Status,
        now_ms: int,
        queue_offset_ms: int | None,
    ) -> Frame:
        cursor = self._store.cursor
        data = encode_snapshot(
            cursor,
            recovered=recovered,
            status=status,
            sent_ms=now_ms,
            pillows=states,
            queue_offset_ms=queue_offset_ms,
        )
        return Frame(data, cursor, updates=len(states))
