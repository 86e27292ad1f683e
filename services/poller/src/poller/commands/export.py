"""The command `export`: copies every dead letter, one JSON object a line."""

import os
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import msgspec

from poller.commands.context import CommandContext, write_json


async def export_to_file(context: CommandContext, path: Path, *, force: bool, json: bool) -> int:
    """Write all letters to a file; after an error there is no file, or the one before."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("xb") as file:
            count = await _copy(context, file.write, progress=True)
            file.flush()
            # On disk, because an operator may clear the queue after the export.
            os.fsync(file.fileno())
        if context.stopping.is_set():
            return 1
        _move_into_place(temporary, path, force=force)
    except FileExistsError:
        context.stderr(f"{path} was created meanwhile; nothing was written (--force replaces it)")
        return 1
    except OSError as error:
        context.stderr(f"{path} cannot be written: {error.strerror}")
        return 1
    finally:
        temporary.unlink(missing_ok=True)
    if json:
        write_json({"file": str(path), "letters": count})
    else:
        context.stdout(f"{count} written to {path}.")
    return 0


def _move_into_place(temporary: Path, path: Path, *, force: bool) -> None:
    if not force:
        path.touch(exist_ok=False)
    temporary.replace(path)


async def export_to_stdout(context: CommandContext) -> int:
    """Write all letters to standard output."""
    count = await _copy(context, sys.stdout.buffer.write, progress=not sys.stdout.isatty())
    context.stderr(f"{count} written.")
    return 0


async def _copy(
    context: CommandContext, write: Callable[[bytes], object], *, progress: bool
) -> int:
    """Write each letter as a line; returns how many."""
    stats = await context.stats()
    count = 0
    if stats.count:
        with context.progress("exporting", stats.count, wanted=progress) as advance:
            async with aclosing(context.pages(stats)) as pages:
                async for page in pages:
                    for letter in page:
                        write(msgspec.json.encode(context.report_on(letter, stats)) + b"\n")
                        advance()
                    count += len(page)
        if count < stats.count and not context.stopping.is_set():
            context.stderr(context.count_line(stats, count, all_=True))
    return count
