"""One journal: an SQLite file that one process holds, with one row for each pillow.

SQLite syncs its write-ahead log at each commit (synchronous=FULL), so that a committed state is on
the disk. The lock is exclusive and lasts as long as the connection, so that another poller can tell
a journal in use from one that was left behind.
Every function blocks; the journal calls them in a thread.
"""

import secrets
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import msgspec

from poller.journal.save_marks import SaveMark

_VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE state (
    pillow TEXT PRIMARY KEY,
    payload TEXT NOT NULL,
    journal TEXT NOT NULL,
    number INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE journal (id TEXT PRIMARY KEY, instance TEXT NOT NULL) WITHOUT ROWID;
"""

# One statement for a batch, because each statement waits for the interpreter's lock once more.
_PUT: Final = """
INSERT OR REPLACE INTO state
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
       json_extract(value, '$[3]')
FROM json_each(?)
"""
_REMOVE: Final = "DELETE FROM state WHERE pillow IN (SELECT value FROM json_each(?))"

_UNREADABLE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""What SQLite reports of a file that is no journal, or no longer one."""

_IN_USE: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class JournalLocked(Exception):
    """Another process holds the journal."""


class JournalUnreadable(Exception):
    """The file is no journal, or is damaged."""


class JournalUnavailable(Exception):
    """The journal cannot be used now: the disk is full, read-only or fails; the message says.

    `is_full`: the open file can be used again as soon as there is room.
    """

    def __init__(self, message: str, *, is_full: bool = False) -> None:
        super().__init__(message)
        self.is_full = is_full


class JournalRow(NamedTuple):
    """A pillow's newest state as JSON, and the mark that follows it."""

    pillow: str
    payload: bytes
    mark: SaveMark


class JournalFile:
    """An open journal; `id` is that of its marks. Each method raises the errors above."""

    def __init__(self, path: Path, instance: str = "", journal_id: str | None = None) -> None:
        """Open a journal and lock it; with an `instance` it is created if it does not exist.

        `journal_id` is the id to use; None for the one that the instance had, or a new one.
        """
        self.path = path
        mode = "rwc" if instance else "rw"
        with _translated(path):
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=0,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                self._connection.text_factory = bytes  # whatever somebody has written into it
                self._lock()
                self._prepare(instance)
                self.id = self._own_id(instance, journal_id) if instance else ""
            except BaseException:
                self._connection.close()
                raise
        self._inode = path.stat().st_ino

    def _lock(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        # The write-ahead log keeps no more than this after a checkpoint.
        execute("PRAGMA journal_size_limit = 8388608")
        execute("BEGIN EXCLUSIVE")
        execute("COMMIT")

    def _prepare(self, instance: str) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        is_empty = not self._connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
        if version == 0 and is_empty:
            if instance:
                self._connection.executescript(
                    f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;"
                )
        elif version != _VERSION:
            raise JournalUnreadable(f"its version is {version}, not {_VERSION}")
        self._is_empty = is_empty and not instance

    def _own_id(self, instance: str, journal_id: str | None) -> str:
        known = self._ids()
        if journal_id is None:
            own = [one for one, name in known.items() if name == instance]
            journal_id = own[0] if own else secrets.token_hex(8)
        if known.get(journal_id) != instance:
            self._connection.execute(
                "INSERT OR REPLACE INTO journal VALUES (?, ?)", (journal_id, instance)
            )
        return journal_id

    def rows(self) -> list[JournalRow]:
        """Return every state."""
        with _translated(self.path):
            if self._is_empty:
                return []
            found = self._connection.execute("SELECT pillow, payload, journal, number FROM state")
            return [
                JournalRow(pillow.decode(), payload, SaveMark(journal.decode(), number))
                for pillow, payload, journal, number in found
                if isinstance(payload, bytes) and isinstance(number, int)
            ]

    def instances(self) -> dict[str, str]:
        """Return the instances of journals by their ids: the own one, and adopted ones."""
        with _translated(self.path):
            return {} if self._is_empty else self._ids()

    def commit(self, puts: Sequence[JournalRow], removals: Collection[str] = ()) -> None:
        """Write rows and remove pillows, and return when it is on the disk."""
        with _translated(self.path):
            self._check_path()
            if removals:
                self._transact(puts, removals, {})
            else:
                self._put(puts)

    def adopt(self, rows: Sequence[JournalRow], instances: dict[str, str]) -> None:
        """Write the rows of another journal, and the instances of their marks."""
        with _translated(self.path):
            self._transact(rows, (), instances)

    def forget_journals(self, ids: Collection[str]) -> None:
        """Forget the ids of journals whose marks no state has."""
        with _translated(self.path):
            self._connection.executemany("DELETE FROM journal WHERE id = ?", [(i,) for i in ids])

    def close(self) -> None:
        """Close the file; another process can open it."""
        with _translated(self.path):
            self._connection.close()

    def _ids(self) -> dict[str, str]:
        found = self._connection.execute("SELECT id, instance FROM journal").fetchall()
        return {one.decode(): instance.decode() for one, instance in found}

    def _transact(
        self, puts: Sequence[JournalRow], removals: Collection[str], instances: dict[str, str]
    ) -> None:
        execute = self._connection.execute
        execute("BEGIN")
        try:
            for journal in instances.items():
                execute("INSERT OR IGNORE INTO journal VALUES (?, ?)", journal)
            execute(_REMOVE, (_json(list(removals)),))
            self._put(puts)
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise

    def _put(self, rows: Sequence[JournalRow]) -> None:
        if rows:
            flat = [(row.pillow, row.payload.decode(), *row.mark) for row in rows]
            self._connection.execute(_PUT, (_json(flat),))

    def _check_path(self) -> None:
        """Raise FileNotFoundError if the file is not at its path: nobody would read it again."""
        if self.path.stat().st_ino != self._inode:
            raise FileNotFoundError(f"{self.path} is another file now")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Raise the errors of this module for those of SQLite and the file system."""
    try:
        yield
    except (sqlite3.Error, OSError, UnicodeError) as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _IN_USE:
            raise JournalLocked(f"{path}: another process holds it") from None
        if code in _UNREADABLE or isinstance(error, UnicodeError):
            raise JournalUnreadable(f"{path}: {error}") from None
        is_full = code == sqlite3.SQLITE_FULL
        raise JournalUnavailable(f"{path}: {error}", is_full=is_full) from None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
