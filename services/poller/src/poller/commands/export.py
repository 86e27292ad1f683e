"""`export`: a copy of every letter, one JSON object a line."""

import os
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import msgspec

from poller.commands.context import Box, letter_pages, write_json


async def export_to_file(box: Box, path: Path, *, force: bool, json: bool) -> int:
    """Write a file that is whole or not there at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("xb") as file:
            count = await _copy(box, file.write, progress=True)
            file.flush()
            # Somebody may empty the queue on the strength of this file.
            os.fsync(file.fileno())
        if box.stopping.is_set():
            return 1
        _put_in_place(beside, path, force=force)
    except FileExistsError:
        box.note(f"{path} has been made meanwhile; nothing was written (--force replaces it)")
        return 1
    except OSError as error:
        box.note(f"{path} cannot be written: {error.strerror}")
        return 1
    finally:
        beside.unlink(missing_ok=True)
    if json:
        write_json({"file": str(path), "letters": count})
    else:
        box.say(f"{count} written to {path}.")
    return 0


def _put_in_place(beside: Path, path: Path, *, force: bool) -> None:
    if not force:
        path.touch(exist_ok=False)
    beside.replace(path)


async def export_to_stdout(box: Box) -> int:
    count = await _copy(box, sys.stdout.buffer.write, progress=not sys.stdout.isatty())
    box.note(f"{count} written.")
    return 0


async def _copy(box: Box, write: Callable[[bytes], object], *, progress: bool) -> int:
    """Write each letter as a line; returns how many."""
    survey = await box.queue.survey()
    count = 0
    if survey is not None and survey.count:
        with box.progress("exporting", survey.count, wanted=progress) as advance:
            async with aclosing(letter_pages(box, survey)) as pages:
                async for page in pages:
                    for letter in page:
                        write(msgspec.json.encode(box.describe(letter, survey)) + b"\n")
                        advance()
                    count += len(page)
        if count < survey.count and not box.stopping.is_set():
            box.note(box.sum_up(survey, count, all_=True))
    return count
