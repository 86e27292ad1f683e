"""Opens the outbox; a damaged file is set aside, and a new one begins."""

import time
from pathlib import Path

import structlog

from notifier.outbox.outbox_file import Loaded, OutboxFile, OutboxUnreadable

log = structlog.get_logger()


def open_outbox(path: Path) -> tuple[OutboxFile, Loaded]:
    """Return the outbox and what it has; raises OutboxUnavailable."""
    try:
        return _open(path)
    except OutboxUnreadable as error:
        aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
        log.error(
            "the outbox is damaged and was set aside; events in it are not delivered",
            error=str(error),
            aside=str(aside),
        )
        for suffix in ("", "-wal", "-shm"):
            damaged = path.with_name(path.name + suffix)
            if damaged.exists():
                damaged.rename(f"{aside}{suffix}")
        return _open(path)


def _open(path: Path) -> tuple[OutboxFile, Loaded]:
    file = OutboxFile(path)
    try:
        return file, file.load()
    except BaseException:
        file.close()
        raise
