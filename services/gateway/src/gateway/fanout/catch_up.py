"""Catch-up: what a subscriber that is not live has to get before it is, piece by piece. Pure.

A new client gets a snapshot of everything in its filter, a client that resumes from a cursor a
snapshot of what changed after it, and a subscriber that was paused the newest state of each pillow
that changed meanwhile.
A piece is made when the subscriber can be written to, so one that does not read keeps nothing but
its position. Subscribers at the same position share a piece.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from contract.cursors import Cursor
from contract.frames import Status, encode_frame, encode_snapshot
from gateway.fanout.coalescing import encode_changes
from gateway.fanout.encoding import Frame
from gateway.fanout.motion import MotionCuts
from gateway.fanout.positions import Progress, ResumeFrom, ResumePoint
from gateway.fanout.subscriptions import Filter
from gateway.fanout.walking import Step, begin_walk, take_step
from gateway.state.state_store import StateStore

CACHE_MS: Final = 20
"""How long a piece is kept for other subscribers that need the same, in milliseconds; it is dropped
earlier when anything changes."""

SNAPSHOT_CACHE_MS: Final = 250
"""How long a piece of a large snapshot is kept that is not its last, even if states change: clients
that connect within this time share the pieces, and get what changed with the last one."""

CACHE_SIZE: Final = 64
"""How many pieces are kept: those of many clients that all differ are not shared."""


class FrameContext(NamedTuple):
    """What frames say beside states: the broker's status, and the time in Unix milliseconds.

    `watching` is the number of clients. `queue_offset_ms` is added to `now_ms` to get the queue's
    time, where that is known. `shown_share` is the share of clients that are asked for reports.
    """

    status: Status
    now_ms: int
    watching: int = 0
    queue_offset_ms: int | None = None
    shown_share: float = 0


class View(NamedTuple):
    """What subscribers are sent: the pillows of a filter, with `motion` or without."""

    filter: Filter
    has_motion: bool = True


class Piece(NamedTuple):
    """Frames for subscribers at one position, and their position then; None when they have all."""

    frames: list[Frame]
    rest: Progress | None


class _CachedPiece(NamedTuple):
    piece: Piece
    cursor: Cursor
    context: FrameContext
    is_prefix: bool
    """Whether it is a part of a snapshot in the order of change, which later changes follow."""

    def is_valid(self, cursor: Cursor, context: FrameContext) -> bool:
        age_ms = context.now_ms - self.context.now_ms
        if self.context.status != context.status or age_ms < 0:
            return False
        if self.is_prefix:
            return age_ms <= SNAPSHOT_CACHE_MS
        return age_ms <= CACHE_MS and self.cursor == cursor


class CatchUp:
    """Makes the pieces of what subscribers missed, once for all that missed the same."""

    def __init__(self, store: StateStore, motion_cuts: MotionCuts) -> None:
        self._store = store
        self._motion_cuts = motion_cuts
        self._cache: dict[tuple[View, Progress], _CachedPiece] = {}  # the oldest first
        self._first_pieces: dict[View, _CachedPiece] = {}  # of full snapshots, those in the cache

    def covered(self, resume_from: ResumeFrom) -> ResumeFrom:
        """Return where a subscriber resumes; None when the log lacks some of what it missed.

        So all clients with cursors of another process share one snapshot, however they differ.
        """
        cursor: Cursor | None
        if isinstance(resume_from, ResumePoint):
            cursor = self._store.cursor._replace(offset=resume_from.offset)
        elif isinstance(resume_from, Progress):
            walk = resume_from.walk
            offset = max(walk.position, walk.removed_through)
            cursor = self._store.cursor._replace(offset=offset)
        else:
            cursor = resume_from
        return resume_from if self._store.covers(cursor) else None

    def piece(self, view: View, resume_from: ResumeFrom, context: FrameContext) -> Piece:
        """Return the next piece for subscribers with this view that resume from there.

        `resume_from` is covered.
        """
        if resume_from is None:
            first = self._first_pieces.get(view)
            if first is not None and self._is_shareable(first, context):
                return first.piece
        progress = self._progress(resume_from, context)
        cached = self._cache.get((view, progress))
        if cached is not None and cached.is_valid(self._store.cursor, context):
            return cached.piece
        step = take_step(self._store, view.filter, progress.walk)
        if not view.has_motion:
            step = step._replace(changes=self._motion_cuts.without(step.changes))
        piece = self._encode(progress, step, context, has_motion=view.has_motion)
        # After a sweep a subscriber has states from beyond its position, and must not get older
        # ones. One whose snapshot has not come to its sweep has none.
        is_prefix = (
            progress.kind == "snapshot" and progress.walk.sweep is None and step.rest is not None
        )
        self._keep((view, progress), _CachedPiece(piece, self._store.cursor, context, is_prefix))
        return piece

    def drop_outdated(self, context: FrameContext) -> None:
        """Drop the pieces that nobody will share any more."""
        for key, cached in list(self._cache.items()):
            if not cached.is_valid(self._store.cursor, context):
                self._drop(key)

    def _is_shareable(self, first: _CachedPiece, context: FrameContext) -> bool:
        """Return whether a new client may take the first piece that another one got."""
        rest = first.piece.rest
        return first.is_valid(self._store.cursor, context) and (
            rest is None or self.covered(rest) is rest
        )

    def _progress(self, resume_from: ResumeFrom, context: FrameContext) -> Progress:
        """Return where a catch-up begins or goes on."""
        if isinstance(resume_from, Progress):
            return resume_from
        if isinstance(resume_from, ResumePoint):
            offset, status = resume_from
            walk = begin_walk(self._store, offset, offset)
            return Progress("catch_up", walk, status, is_continued=False)
        if resume_from is not None:
            offset = resume_from.offset
            walk = begin_walk(self._store, offset, offset)
            return Progress("recovered", walk, context.status, is_continued=False)
        # A new client has no pillow that was removed before now.
        walk = begin_walk(self._store, 0, self._store.cursor.offset)
        return Progress("snapshot", walk, context.status, is_continued=False)

    def _keep(self, key: tuple[View, Progress], cached: _CachedPiece) -> None:
        self._drop(key)
        if len(self._cache) >= CACHE_SIZE:
            self._drop(next(iter(self._cache)))
        self._cache[key] = cached
        view, progress = key
        if progress.kind == "snapshot" and not progress.is_continued:
            self._first_pieces[view] = cached

    def _drop(self, key: tuple[View, Progress]) -> None:
        cached = self._cache.pop(key, None)
        if cached is not None and self._first_pieces.get(key[0]) is cached:
            del self._first_pieces[key[0]]

    def _encode(
        self, progress: Progress, step: Step, context: FrameContext, *, has_motion: bool
    ) -> Piece:
        if progress.kind == "catch_up":
            frames = list(self._update_frames(progress, step, context))
        else:
            frames = list(self._snapshot_frames(progress, step, context, has_motion=has_motion))
        if step.rest is None:
            return Piece(frames, None)
        kind = "catch_up" if step.is_round_over else progress.kind
        is_continued = progress.is_continued or bool(frames)
        return Piece(frames, Progress(kind, step.rest, context.status, is_continued))

    def _update_frames(
        self, progress: Progress, step: Step, context: FrameContext
    ) -> Iterator[Frame]:
        epoch = self._store.cursor.epoch
        yield from encode_changes(step.changes, epoch, context.now_ms, at_most=step.cursor)
        if progress.status != context.status:
            yield Frame(encode_frame(context.status))

    def _snapshot_frames(
        self, progress: Progress, step: Step, context: FrameContext, *, has_motion: bool
    ) -> Iterator[Frame]:
        """Yield a snapshot with the states, and the removals behind it.

        The snapshot's cursor is before the first removal: a client that gets no more than that
        resumes there.
        """
        states = [change.payload for change in step.changes if change.payload is not None]
        removals = [change for change in step.changes if change.payload is None]
        epoch = self._store.cursor.epoch
        has_more = step.rest is not None and not step.is_round_over
        if states or not has_more or not progress.is_continued:
            offset = step.cursor
            if removals:
                offset = max(progress.walk.position, min(offset, removals[0].offset - 1))
            cursor = Cursor(epoch, offset)
            data = encode_snapshot(
                cursor,
                recovered=progress.kind == "recovered",
                status=context.status,
                sent_ms=context.now_ms,
                watching=context.watching,
                pillows=states,
                queue_offset_ms=context.queue_offset_ms,
                has_more=has_more,
                is_continued=progress.is_continued,
                shown_share=context.shown_share,
                has_motion=has_motion,
            )
            yield Frame(data, cursor, updates=len(states))
        if removals:
            removals[-1] = replace(removals[-1], offset=step.cursor)  # all of the step is sent then
            yield from encode_changes(removals, epoch, context.now_ms, at_most=step.cursor)
