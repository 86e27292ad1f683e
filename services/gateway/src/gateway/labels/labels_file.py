"""The file of labels: read at the start, and again when it changes."""

import asyncio
import os
import stat
from pathlib import Path
from typing import Final

import structlog

from gateway.labels.parsing import MAX_FILE_BYTES, Labels, parse_labels

log = structlog.get_logger()

CHECK_S: Final = 2.0
"""How often it is looked at. A file that has changed is read when it stays the same for so long,
because it may be half written before."""

_Signature = tuple[int, int, int, int]


class LabelsFile:
    """The names that people gave to pillows; without a file there are none.

    A file that cannot be used leaves the names as they are, with one line for each reason.
    """

    def __init__(self, path: Path | None) -> None:
        self.labels: Labels = {}
        self.error = ""
        self._path = path
        self._seen: _Signature | None = None
        self._read: _Signature | None = None

    async def run(self) -> None:
        """Read the file, and again when it has changed, until cancelled."""
        if self._path is None:
            return
        await self.check(is_first=True)
        while True:
            await asyncio.sleep(CHECK_S)
            await self.check()

    async def check(self, *, is_first: bool = False) -> None:
        """Look at the file once; read it if it has changed, and is not being written."""
        # In a thread, because a disk of the network may hang, and TOML takes its time.
        found = await asyncio.to_thread(self._look, is_first)
        if found is None:
            return
        if isinstance(found, str):
            if found != self.error:
                log.error(
                    "the file of GATEWAY_LABELS_FILE cannot be used; the names stay as they are, "
                    "and it is read again when it changes",
                    file=str(self._path),
                    error=found,
                    names=len(self.labels),
                )
            self.error = found
            return
        if self.error or found != self.labels:
            log.info("names of pillows were read", file=str(self._path), names=len(found))
        self.labels, self.error = found, ""

    def _look(self, is_first: bool) -> Labels | str | None:
        """Return its names or an error; None where there is nothing new."""
        assert self._path is not None, "there is no file"
        try:
            signature = _signature(self._path.stat())
            is_settled = is_first or signature == self._seen
            self._seen = signature
            if signature == self._read or not is_settled:
                return None
            content = _content(self._path)
        except OSError as error:
            self._seen = self._read = None
            return f"it cannot be read: {error.strerror or error}"
        self._read = signature
        return parse_labels(content)


def _signature(found: os.stat_result) -> _Signature:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(0, "it is no file")
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)
