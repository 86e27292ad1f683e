"""The context of a dead-letter command: settings, queue, output and exit status."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Final, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from azure_queue.errors import queue_not_found
from azure_queue.service import PAGE_SIZE
from poller.queues import DeadLetter, PoisonQueue, QueueDenied, QueueStats, QueueUnavailable
from poller.settings import PollerSettings
from poller.settle.dead_letter_report import DeadLetterReport, report_on
from poller.settle.redrive import QueueScan, RedriveResult
from runtime.command_line import discard_output
from runtime.command_names import command_name
from runtime.lifecycle import exit_with_usage, run_service
from runtime.printable_text import printable
from runtime.redaction import redact
from runtime.startup import load_for_command

COMMAND: Final = "poller dead-letters"

_MAX_IDS_SHOWN: Final = 8
"""How many ids of letters that failed for the same reason are printed."""


class CommandContext:
    """What a command works with, and the sentences that several commands print."""

    def __init__(
        self, settings: PollerSettings, queue: PoisonQueue, stopping: asyncio.Event
    ) -> None:
        self.settings = settings
        self.queue = queue
        self.stopping = stopping
        self.console = Console(highlight=False, markup=False, emoji=False)
        self._error_console = Console(stderr=True, highlight=False, markup=False, emoji=False)

    def report_on(self, letter: DeadLetter, stats: QueueStats) -> DeadLetterReport:
        return report_on(
            letter,
            now_us=stats.now_us,
            default_pillow=self.settings.default_pillow,
            max_attempts=self.settings.max_attempts,
        )

    async def stats(self) -> QueueStats:
        """Return the number of letters; raises QueueUnavailable for a queue that is not there."""
        stats = await self.queue.stats()
        if stats is None:
            # Perhaps a wrong name, and then the letters are in another queue.
            raise queue_not_found(self.settings.poison_queue, "POISON_QUEUE_NAME")
        return stats

    def scan(self, stats: QueueStats) -> QueueScan:
        return QueueScan(self.queue, self.stopping, count=stats.count)

    async def pages(self, stats: QueueStats) -> AsyncGenerator[list[DeadLetter], None]:
        """Yield all letters.

        The first page is peeked at; only where there are more are the letters leased, and so
        hidden from other consumers, until the end.
        """
        first = await self.queue.peek()
        yield first
        if len(first) < PAGE_SIZE or stats.count <= PAGE_SIZE:
            return
        peeked = {letter.id for letter in first}
        async with self.scan(stats) as scan, aclosing(scan.pages()) as pages:
            async for page in pages:
                yield [letter for letter in page if letter.id not in peeked]
        self.print_unreleased(scan)

    def stdout(self, text: str) -> None:
        """Print a line of the command's result."""
        self.console.print(Text(text), soft_wrap=True)

    def stderr(self, text: str) -> None:
        """Print a line that is not part of the command's result."""
        self._error_console.print(Text(redact(text)), soft_wrap=True)

    def count_line(self, stats: QueueStats, shown: int, *, all_: bool) -> str:
        """Return the line that says how many letters were shown, and why not all of them."""
        queue = self.settings.poison_queue
        if not stats.count:
            return f"No dead letters in {queue}."
        if shown >= stats.count:
            return f"{shown} in {queue}."
        if shown >= PAGE_SIZE and not all_:
            return f"The first {shown} of about {stats.count} in {queue}; --all lists every one."
        return (
            f"{shown} of about {stats.count} in {queue}; the others are hidden, because another "
            "consumer has received them."
        )

    def not_found_line(self, ids: Sequence[str]) -> str:
        return (
            f"not found in {self.settings.poison_queue}: {', '.join(map(printable, ids))}; "
            "a letter is gone once it was replayed or deleted, and hidden while another consumer "
            "has it"
        )

    def print_errors(self, result: RedriveResult, missing: Sequence[str]) -> None:
        """Print why letters are still in the poison queue, or are not found."""
        self.print_failed(result.failed)
        if result.scan_error is not None:
            self.stderr(f"{command_name(COMMAND)}: {result.scan_error}")
        elif missing and not self.stopping.is_set():
            self.stderr(self.not_found_line(missing))

    def print_failed(self, failed: dict[str, str]) -> None:
        """Print each reason once, with the ids of its letters."""
        ids_by_reason: dict[str, list[str]] = {}
        for letter_id, reason in failed.items():
            ids_by_reason.setdefault(reason, []).append(letter_id)
        for reason, ids in ids_by_reason.items():
            self.stderr(reason)
            for letter_id in ids[:_MAX_IDS_SHOWN]:
                self.stderr(f"  {letter_id}")
            if len(ids) > _MAX_IDS_SHOWN:
                self.stderr(f"  and {len(ids) - _MAX_IDS_SHOWN} more; --json lists all of them")

    def print_unreleased(self, scan: QueueScan) -> None:
        if scan.unreleased:
            self.stderr(
                f"{scan.unreleased} letters could not be released: they are hidden for at most "
                f"{scan.lease_s} s."
            )

    @contextmanager
    def progress(
        self, action: str, total: int, *, wanted: bool = True
    ) -> Iterator[Callable[[], None]]:
        """Show a progress bar on a terminal, for more letters than one page."""
        bar = Progress(
            TextColumn(action),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._error_console,
            transient=True,
            disable=not (wanted and self._error_console.is_terminal and total > PAGE_SIZE),
        )
        with bar:
            task = bar.add_task(action, total=total)
            yield lambda: bar.advance(task)


Command = Callable[[CommandContext], Awaitable[int]]
"""A command; it returns the exit status."""


def run(command: Command) -> int:
    """Run a command on the queue that the environment names; returns the exit status."""
    settings = load_for_command(COMMAND, PollerSettings.load, level="warning")
    # Imported here, because the SDK takes a second to import, which help does not need.
    from poller.azure.queue import AzureQueue

    status = 1

    async def serve(stopping: asyncio.Event) -> None:
        nonlocal status
        try:
            queue = AzureQueue(settings)
        except QueueDenied as error:
            exit_with_usage(COMMAND, str(error))
        async with queue:
            context = CommandContext(settings, queue.dead_letters(), stopping)
            try:
                status = await command(context)
            except (QueueUnavailable, QueueDenied) as error:
                context.stderr(f"{command_name(COMMAND)}: {error}")
            if stopping.is_set():
                context.stderr("Stopped before the end; nothing is lost.")
                status = 1

    try:
        run_service(serve)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        status = 1
    return status


def run_and_exit(command: Command) -> NoReturn:
    raise typer.Exit(run(command))


def write_json(document: object) -> None:
    """Write a document as one line to standard output."""
    sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
