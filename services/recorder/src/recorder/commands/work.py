"""What the commands do with the database."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.timestamps import format_timestamp
from history.reading import HistoryReader
from history.schema import EPISODES, PILLOWS, SIZES
from history.slots import SLOT_US
from recorder.commands.context import CommandFailed, error_console
from recorder.commands.exporting import Csv, JsonLines, Parquet, ParquetMissing, Writer, atomic_file
from recorder.pruning import Pruner
from recorder.retention import cutoff_us, total_bytes
from recorder.settings import RecorderSettings
from runtime.clocks import unix_ms


class Format(StrEnum):
    """The formats of an export."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported: all pillows where none is named; to standard output without a path."""

    path: Path | None
    pillows: Sequence[str]
    from_us: int
    until_us: int
    format: Format


async def export(engine: AsyncEngine, wanted: Export) -> None:
    """Write states; raises CommandFailed."""
    names = wanted.pillows or await _all_pillows(engine)
    expected = await _states_between(engine, wanted.from_us, wanted.until_us)
    reader, written = HistoryReader(engine), 0
    unknown = [name for name in wanted.pillows if not await reader.knows(name)]
    if unknown:
        raise CommandFailed(f"nothing is recorded of {', '.join(unknown)}; `recorder stats` helps")
    # The number of one pillow's states is not known before; of all pillows' it is, about.
    total = None if wanted.pillows else expected
    with _writer(wanted) as writer, _progress(total) as advance:
        for name in names:
            async for states in reader.walk(name, wanted.from_us, wanted.until_us):
                writer.write(states)
                written += len(states)
                advance(len(states))
    error_console().print(f"{written:,} states of {len(names):,} pillows")


async def prune(engine: AsyncEngine, settings: RecorderSettings) -> None:
    """Delete what is too old or too much, and say how much it was."""
    pruner = Pruner(engine)
    slots = await pruner.slots()
    until_us = cutoff_us(slots, unix_ms() * 1000, settings.keep_days, settings.keep_bytes)
    removed = await pruner.prune(until_us)
    print(f"{removed:,} states before {format_timestamp(until_us)} were deleted")  # noqa: T201


async def stats(engine: AsyncEngine, settings: RecorderSettings, *, json: bool) -> None:
    """Print what the database has."""
    slots = await Pruner(engine).slots()
    async with engine.connect() as connection:
        pillows, episodes = [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (PILLOWS, EPISODES)
        ]
    first = min((one.slot for one in slots), default=None)
    last = max((one.slot for one in slots), default=None)
    found = {
        "database": str(settings.database),
        "pillows": pillows,
        "states": sum(one.states for one in slots),
        "episodes": episodes,
        "from": None if first is None else format_timestamp(first * SLOT_US),
        "to": None if last is None else format_timestamp((last + 1) * SLOT_US),
        "bytes": total_bytes(slots),
        "limit_bytes": settings.keep_bytes,
        "limit_days": settings.keep_days,
    }
    if json:
        print(msgspec.json.encode(found).decode())  # noqa: T201
        return
    for name, value in found.items():
        shown = f"{value:,}" if isinstance(value, int) else "-" if value is None else value
        print(f"{name.replace('_', ' '):<12} {shown}")  # noqa: T201


async def _all_pillows(engine: AsyncEngine) -> Sequence[str]:
    async with engine.connect() as connection:
        found = await connection.execute(select(PILLOWS.c.name).order_by(PILLOWS.c.name))
        return found.scalars().all()


async def _states_between(engine: AsyncEngine, from_us: int, until_us: int) -> int:
    columns = SIZES.c
    found = select(func.coalesce(func.sum(columns.states), 0)).where(
        columns.slot >= from_us // SLOT_US, columns.slot <= until_us // SLOT_US
    )
    async with engine.connect() as connection:
        return int((await connection.execute(found)).scalar_one())


@contextmanager
def _writer(wanted: Export) -> Iterator[Writer]:
    if wanted.path is None:
        writer: Writer = Csv(sys.stdout) if wanted.format is Format.CSV else JsonLines(sys.stdout)
        yield writer
        writer.close()
        return
    with atomic_file(wanted.path) as partial:
        if wanted.format is Format.PARQUET:
            try:
                writer = Parquet(partial)
            except ParquetMissing as error:
                raise CommandFailed(str(error)) from None
            yield writer
            writer.close()
            return
        with partial.open("w", encoding="utf-8", newline="") as text:
            writer = Csv(text) if wanted.format is Format.CSV else JsonLines(text)
            yield writer
            writer.close()


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[int], None]]:
    bar = Progress(
        TextColumn("exporting"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=error_console(),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=total)
        yield lambda count: bar.advance(task, count)
