"""The outbox's file: SQLite, which syncs its write-ahead log at each commit (synchronous=FULL).

One notifier uses it, by a lock on a file beside it; commands read and change dead letters
meanwhile.
Every function blocks; the service calls them in a thread.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from notifier.detect.event import Event
from notifier.detect.marks import Mark, Silence
from notifier.outbox.delivery import Batch, Row

_VERSION: Final = 1
_BUSY_TIMEOUT_S: Final = 5.0

_SCHEMA: Final = """
CREATE TABLE delivery (
    number INTEGER PRIMARY KEY,
    destination TEXT NOT NULL,
    id TEXT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    waited_s REAL NOT NULL,
    is_retried INTEGER NOT NULL,
    error TEXT NOT NULL,
    ended_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX delivery_key ON delivery (destination, id);
CREATE INDEX delivery_state ON delivery (state, ended_ms, number);
CREATE TABLE mark (
    kind TEXT NOT NULL,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (kind, rule, subject)
) WITHOUT ROWID;
"""
# Of its own, because outboxes of earlier versions have none; those versions do not look at it.
_SILENCE_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS silence (
    pillow TEXT PRIMARY KEY,
    silent_ms INTEGER NOT NULL,
    by_queue INTEGER NOT NULL,
    is_offline INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    queued_ms INTEGER NOT NULL
) WITHOUT ROWID;
"""
_COLUMNS: Final = (
    "number, destination, event, state, attempts, waited_s, is_retried, error, ended_ms"
)
_PUT: Final = (
    f"INSERT OR REPLACE INTO delivery (id, {_COLUMNS}) "  # noqa: S608 - a constant
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_PRUNE: Final = """
DELETE FROM delivery WHERE state = 'dead' AND number NOT IN (
    SELECT number FROM delivery WHERE state = 'dead'
    ORDER BY ended_ms DESC, number DESC LIMIT ?
)
"""
_UNREADABLE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class OutboxUnavailable(Exception):
    """The file cannot be used now: the disk is full, read-only or fails; the message says."""


class OutboxUnreadable(OutboxUnavailable):
    """The file is no outbox, or is damaged."""


class OutboxInUse(OutboxUnavailable):
    """Another notifier uses the file."""


class Loaded(NamedTuple):
    """What the file has: deliveries that wait, in order, marks, the last number used, silences."""

    waiting: list[Row]
    marks: list[Mark]
    last_number: int
    silences: Sequence[Silence] = ()


class OutboxFile:
    """An open outbox. Each method raises OutboxUnavailable or OutboxUnreadable."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        mode = "rwc" if create else "rw"
        with self._errors():
            if create:
                # Only its owner may read what pillows and messages say.
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=_BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        [[version]] = self._connection.execute("PRAGMA user_version")
        if version == 0:
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;"
            )
        elif version != _VERSION:
            raise OutboxUnavailable(
                f"{self.path}: it is of another version ({version}) of this program; use that one, "
                "or another NOTIFIER_OUTBOX"
            )
        self._connection.execute(_SILENCE_SCHEMA)
        self._seen = self._data_version()

    def load(self) -> Loaded:
        """Return all that has to be known at the start."""
        with self._errors():
            marks = [Mark(*row) for row in self._connection.execute("SELECT * FROM mark")]
            [[last]] = self._connection.execute("SELECT max(number) FROM delivery")
            silences = [_silence(row) for row in self._connection.execute("SELECT * FROM silence")]
            waiting = self._rows("state = 'waiting' ORDER BY number")
            return Loaded(waiting, marks, last or 0, silences)

    def commit(self, batch: Batch, max_dead_letters: int) -> int:
        """Write a batch; returns how many dead letters were deleted above the limit."""
        puts = [(row.event.id, *_values(row)) for row in batch.rows.values() if row is not None]
        removals = [(number,) for number, row in batch.rows.items() if row is None]
        with self._errors(), self._transaction():
            self._connection.executemany("DELETE FROM delivery WHERE number = ?", removals)
            self._connection.executemany(_PUT, puts)
            for is_set, statement in (
                (True, "INSERT OR REPLACE INTO mark VALUES (?, ?, ?)"),
                (False, "DELETE FROM mark WHERE kind = ? AND rule = ? AND subject = ?"),
            ):
                marks = [mark for mark, wanted in batch.marks.items() if wanted is is_set]
                self._connection.executemany(statement, marks)
            if batch.silences is not None:
                self._connection.execute("DELETE FROM silence")
                self._connection.executemany(
                    "INSERT INTO silence VALUES (?, ?, ?, ?, ?, ?, ?)",
                    ((*one[:-1], *one.state) for one in batch.silences),
                )
            return self._connection.execute(_PRUNE, (max_dead_letters,)).rowcount

    def retried(self) -> list[Row]:
        """Return the deliveries that a command has put back since the last call; quick if none."""
        with self._errors():
            version = self._data_version()
            if version == self._seen:
                return []
            self._seen = version
            return self._rows("state = 'waiting' AND is_retried ORDER BY number")

    def dead_letters(self, number: int | None = None) -> list[Row]:
        """Return the dead letters, or the one with a number, the latest first."""
        with self._errors():
            if number is None:
                return self._rows("state = 'dead' ORDER BY ended_ms DESC, number DESC")
            return self._rows("state = 'dead' AND number = ?", number)

    def retry(self, numbers: Sequence[int]) -> list[int]:
        """Put dead letters back; returns the numbers of those that were there."""
        return self._change_dead(
            "UPDATE delivery SET state = 'waiting', is_retried = 1, attempts = 0, waited_s = 0, "
            "error = '', ended_ms = 0 WHERE state = 'dead' AND number = ?",
            numbers,
        )

    def delete(self, numbers: Sequence[int]) -> list[int]:
        """Delete dead letters; returns the numbers of those that were there."""
        return self._change_dead(
            "DELETE FROM delivery WHERE state = 'dead' AND number = ?", numbers
        )

    def close(self) -> None:
        """Close the file."""
        with self._errors():
            self._connection.close()

    def _change_dead(self, statement: str, numbers: Sequence[int]) -> list[int]:
        with self._errors(), self._transaction():
            return [
                number
                for number in numbers
                if self._connection.execute(statement, (number,)).rowcount
            ]

    def _rows(self, condition: str, *values: Any) -> list[Row]:
        found = self._connection.execute(
            f"SELECT {_COLUMNS} FROM delivery WHERE {condition}",  # noqa: S608 - a constant
            values,
        )
        return [_row(one) for one in found]

    def _data_version(self) -> int:
        [[version]] = self._connection.execute("PRAGMA data_version")
        return int(version)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise the errors of this module for those of SQLite and of what it stores."""
        try:
            yield
        except (sqlite3.Error, OSError, msgspec.MsgspecError) as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _UNREADABLE or isinstance(error, msgspec.MsgspecError):
                raise OutboxUnreadable(f"{self.path}: {error}") from None
            raise OutboxUnavailable(f"{self.path}: {error}") from None


def lock_outbox(path: Path) -> int:
    """Lock an outbox for one notifier, and return the lock's descriptor, which has to stay open.

    Raises OutboxInUse, or OutboxUnavailable where the folder cannot be written.
    """
    try:
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OutboxUnavailable(f"{path}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise OutboxInUse(f"{path}: another notifier uses it") from None
    return descriptor


def _values(row: Row) -> tuple[Any, ...]:
    return (
        row.number, row.destination, msgspec.json.encode(row.event).decode(), row.state,
        row.attempts, row.waited_s, row.is_retried, row.error, row.ended_ms,
    )  # fmt: skip


def _silence(values: tuple[Any, ...]) -> Silence:
    pillow, silent_ms, by_queue, is_offline, *state = values
    at_us, seq, queued_ms = state
    return Silence(pillow, silent_ms, bool(by_queue), bool(is_offline), (at_us, seq, queued_ms))


def _row(values: tuple[Any, ...]) -> Row:
    number, destination, event, state, attempts, waited_s, is_retried, error, ended_ms = values
    decoded = msgspec.json.decode(event, type=Event)
    return Row(
        number, destination, decoded, state, attempts, waited_s, bool(is_retried), error, ended_ms
    )
