"""The folder of journals: which file a poller takes, and what becomes of files left behind.

Several pollers can share a folder, as `docker compose up --scale poller=2` does. Each takes the
file of its instance, or the next free one. When it opens its file it adopts the states of every
file that no process holds, and deletes these files: the poller that wrote them may never come back.
"""

import fcntl
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog

from contract.updates import Update, decode_state
from poller.journal.journal_file import (
    JournalFile,
    JournalLocked,
    JournalRow,
    JournalUnavailable,
    JournalUnreadable,
)
from poller.journal.save_marks import NEVER

log = structlog.get_logger()

SUFFIX: Final = ".sqlite3"

MAX_FILES: Final = 64
"""Limit of pollers with one instance name in one folder."""

LOCK_TIMEOUT_S: Final = 10.0
"""How long another poller may take to open its journal, in seconds."""

_PAUSE_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class JournaledState:
    """A state that was read from a journal, and its row."""

    update: Update
    row: JournalRow


@dataclass(frozen=True, slots=True)
class OpenedJournal:
    """An open journal, the states to start with, and the instances whose marks they have.

    `last_mark` is the largest number of its own marks. `unwritten` are the pillows whose states
    could not be copied from another journal, because the disk is full; that one is kept.
    """

    file: JournalFile
    states: dict[str, JournaledState]
    instances: dict[str, str]
    last_mark: int
    unwritten: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Adopted:
    """The newer states of a journal that was left behind.

    `instances` are those of their marks; None if the states could not be copied.
    """

    states: dict[str, JournaledState]
    instances: dict[str, str] | None


_NOTHING: Final = _Adopted({}, {})


class JournalFolder:
    """Opens the journal of one instance below one topic prefix; it blocks."""

    def __init__(self, folder: Path, prefix: str, instance: str) -> None:
        self.path = folder
        self._instance = instance
        # Deployments with different prefixes can share the folder as they share a broker.
        self._prefix = prefix.replace("%", "%25").replace("/", "%2F").replace(".", "%2E")

    def open(self, journal_id: str | None = None) -> OpenedJournal:
        """Open the journal, and adopt those left behind; raises JournalUnavailable.

        `journal_id` is the id of the marks that were published already.
        """
        with self._entered():
            file = self._open_own(journal_id)
            try:
                return self._load(file)
            except BaseException:
                file.close()
                raise

    def adopt(self, file: JournalFile) -> OpenedJournal:
        """Adopt what was left behind since `file` was opened; returns only what is adopted."""
        with self._entered():
            if not self._left_behind(file.path):
                return OpenedJournal(file, {}, {}, 0, frozenset())
            return self._adopt_all(file, _states(file.rows()), {})

    @contextmanager
    def _entered(self) -> Iterator[None]:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with _locked(self.path / ".lock"):
                yield
        except OSError as error:
            raise JournalUnavailable(f"{self.path}: {error.strerror or error}") from None
        except (JournalLocked, JournalUnreadable) as error:
            raise JournalUnavailable(str(error)) from None

    def _open_own(self, journal_id: str | None) -> JournalFile:
        for number in range(1, MAX_FILES + 1):
            twin = "" if number == 1 else f"~{number}"
            path = self.path / f"{self._prefix}.{self._instance}{twin}{SUFFIX}"
            try:
                return JournalFile(path, self._instance, journal_id)
            except JournalLocked:
                continue
            except JournalUnreadable as error:
                set_aside(path, error)
                return JournalFile(path, self._instance, journal_id)
        raise JournalUnavailable(f"{self.path}: {MAX_FILES} pollers are named {self._instance}")

    def _load(self, own: JournalFile) -> OpenedJournal:
        try:
            states, instances = _states(own.rows()), own.instances()
        except JournalUnreadable as error:
            own.close()
            set_aside(own.path, error)
            own = JournalFile(own.path, self._instance, own.id)
            states, instances = {}, own.instances()
        _forget_unused(own, states, instances)
        opened = self._adopt_all(own, states, instances)
        numbers = [
            state.row.mark.number
            for state in states.values()
            if state.row.mark.journal == own.id and state.row.mark.number < NEVER
        ]
        return replace(
            opened,
            states=states | opened.states,
            instances=instances | opened.instances,
            last_mark=max(numbers, default=0),
        )

    def _adopt_all(
        self, own: JournalFile, known: dict[str, JournaledState], instances: dict[str, str]
    ) -> OpenedJournal:
        """Adopt the journals that were left behind; returns what is newer than `known`."""
        newer: dict[str, JournaledState] = {}
        unwritten: set[str] = set()
        instances = dict(instances)
        for path in self._left_behind(own.path):
            adopted = self._adopt(path, own, known | newer)
            newer |= adopted.states
            if adopted.instances is None:
                unwritten |= adopted.states.keys()
            else:
                instances |= adopted.instances
        return OpenedJournal(own, newer, instances, 0, frozenset(unwritten))

    def _left_behind(self, own: Path) -> list[Path]:
        name = re.compile(rf"{re.escape(self._prefix)}\.[a-z0-9-]+(~[0-9]+)?{re.escape(SUFFIX)}")
        return [
            path
            for path in sorted(self.path.iterdir())
            if path != own and name.fullmatch(path.name) and path.is_file()
        ]

    @staticmethod
    def _adopt(path: Path, own: JournalFile, known: dict[str, JournaledState]) -> _Adopted:
        """Copy the newer states of a journal that no process holds, and delete it."""
        try:
            with JournalFile(path) as other:
                found, instances = _states(other.rows()), other.instances()
        except JournalLocked:
            return _NOTHING
        except JournalUnavailable as error:
            log.error("a journal that was left behind cannot be read; it stays", error=str(error))
            return _NOTHING
        except JournalUnreadable as error:
            set_aside(path, error)
            return _NOTHING
        newer = {
            pillow: state
            for pillow, state in found.items()
            if pillow not in known or state.update.order > known[pillow].update.order
        }
        try:
            own.adopt([state.row for state in newer.values()], instances)
        except JournalUnavailable as error:
            log.error(
                "a journal that was left behind cannot be adopted yet; its states are published, "
                "and it stays",
                error=str(error),
            )
            return _Adopted(newer, None)
        for file in _files(path):
            file.unlink(missing_ok=True)
        log.info("states of another poller's journal adopted", path=str(path), states=len(newer))
        return _Adopted(newer, instances)


def _forget_unused(
    own: JournalFile, states: dict[str, JournaledState], instances: dict[str, str]
) -> None:
    """Forget the journals, also in `instances`, whose marks no state has any more."""
    used = {state.row.mark.journal for state in states.values()} | {own.id}
    unused = instances.keys() - used
    for journal in unused:
        del instances[journal]
    if unused:
        with suppress(JournalUnavailable):  # without room they are forgotten later
            own.forget_journals(unused)


def set_aside(path: Path, error: JournalUnreadable) -> None:
    """Keep a file that cannot be read for a person, in place of the last one."""
    aside = path.with_name(f"{path.name}.unreadable")
    for file, kept in zip(_files(path), _files(aside), strict=True):
        kept.unlink(missing_ok=True)
        if file.exists():
            file.replace(kept)
    log.error(
        "the journal cannot be read; it is set aside, and a new one begins",
        path=str(path),
        kept_as=str(aside),
        error=str(error),
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the folder's lock, so that no file is deleted that another poller opens."""
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"another process holds {path}") from None
                time.sleep(_PAUSE_S)
        yield


def _states(rows: Iterable[JournalRow]) -> dict[str, JournaledState]:
    """Decode rows; one that is no state any more is left out."""
    states = {}
    for row in rows:
        update = decode_state(row.pillow, row.payload)
        if isinstance(update, Update):
            states[row.pillow] = JournaledState(update, row)
    return states


def _files(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}{end}") for end in ("", "-wal", "-shm", "-journal")]
