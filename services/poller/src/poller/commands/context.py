"""What every command works with: the queue, where answers go, and how it ends."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Final, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from poller.queues import PoisonQueue, QueueDenied, QueueUnavailable
from poller.settings import PollerSettings
from poller.settle.dead_letters import PAGE, Account, Letter, Survey, describe, printable
from poller.settle.redrive import Walk
from runtime.lifecycle import exit_with_usage, run_service
from runtime.logs import configure_logs
from runtime.settings import SettingsError

COMMAND: Final = "poller dead-letters"

_NAMED: Final = 8
"""How many ids are said of those to which the same happened."""


class Box:
    """What every command works with."""

    def __init__(
        self, settings: PollerSettings, queue: PoisonQueue, stopping: asyncio.Event
    ) -> None:
        self.settings = settings
        self.queue = queue
        self.stopping = stopping
        self.out = Console(highlight=False, markup=False, emoji=False)
        self.err = Console(stderr=True, highlight=False, markup=False, emoji=False)

    def describe(self, letter: Letter, survey: Survey) -> Account:
        return describe(
            letter,
            now_us=survey.now_us,
            default_pillow=self.settings.default_pillow,
            max_attempts=self.settings.max_attempts,
        )

    def walk(self, survey: Survey) -> Walk:
        return Walk(self.queue, self.stopping, count=survey.count)

    def say(self, text: str) -> None:
        """Answer a person, on standard output."""
        self.out.print(Text(text), soft_wrap=True)

    def note(self, text: str) -> None:
        """Say something that is not the answer, on standard error."""
        self.err.print(Text(text), soft_wrap=True)

    def sum_up(self, survey: Survey | None, shown: int, *, all_: bool) -> str:
        """Say how many of the letters were shown, and why not all of them."""
        queue = self.settings.poison_queue
        if survey is None:
            return f"No dead letters: there is no queue {queue}."
        if not survey.count:
            return f"No dead letters in {queue}."
        if shown >= survey.count:
            return f"{shown} in {queue}."
        if shown >= PAGE and not all_:
            return f"The first {shown} of about {survey.count} in {queue}; --all lists every one."
        return (
            f"{shown} of about {survey.count} in {queue}; the others are hidden just now: "
            "somebody has received them."
        )

    def not_found(self, ids: Sequence[str]) -> str:
        return (
            f"not found in {self.settings.poison_queue}: {', '.join(map(printable, ids))}; "
            "a letter that was replayed has left, one that somebody has received is hidden"
        )

    def note_failed(self, failed: dict[str, str]) -> None:
        """Say once why, and of which letters."""
        alike: dict[str, list[str]] = {}
        for name, why in failed.items():
            alike.setdefault(why, []).append(name)
        for why, names in alike.items():
            self.note(why)
            for name in names[:_NAMED]:
                self.note(f"  {name}")
            if len(names) > _NAMED:
                self.note(f"  and {len(names) - _NAMED} more; --json names them all")

    def note_unreleased(self, walk: Walk) -> None:
        if walk.unreleased:
            self.note(
                f"{walk.unreleased} letters could not be released: they are hidden for at most "
                f"{walk.lease_s} s."
            )

    @contextmanager
    def progress(
        self, what: str, total: int, *, wanted: bool = True
    ) -> Iterator[Callable[[], None]]:
        """Show a bar on a terminal, where it takes more than a moment."""
        bar = Progress(
            TextColumn(what),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.err,
            transient=True,
            disable=not (wanted and self.err.is_terminal and total > PAGE),
        )
        with bar:
            task = bar.add_task(what, total=total)
            yield lambda: bar.advance(task)


def do(work: Callable[[Box], Awaitable[int]]) -> int:
    """Work on the queue that the environment names; returns the exit status."""
    try:
        settings = PollerSettings.load()
    except SettingsError as error:
        exit_with_usage(COMMAND, str(error))
    # The SDK takes a second to load, which help and wrong usage need not wait for.
    from poller.azure.queue import AzureQueue

    configure_logs("poller", level="warning", style=settings.log_format)
    status = 1

    async def serve(stopping: asyncio.Event) -> None:
        nonlocal status
        try:
            service = AzureQueue.from_settings(settings)
        except QueueDenied as error:
            exit_with_usage(COMMAND, str(error))
        async with service:
            box = Box(settings, service.dead_letters(), stopping)
            try:
                status = await work(box)
            except (QueueUnavailable, QueueDenied) as error:
                box.note(f"{COMMAND}: {error}")
            if stopping.is_set():
                box.note("Stopped before the end; nothing is lost.")
                status = 1

    try:
        run_service(serve)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read it has enough; what is still to be flushed must not fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    return status


def run_to_exit(work: Callable[[Box], Awaitable[int]]) -> NoReturn:
    raise typer.Exit(do(work))


async def letter_pages(box: Box, survey: Survey) -> AsyncGenerator[list[Letter], None]:
    """Yield the letters; they are hidden meanwhile only where looking does not show them all."""
    first = await box.queue.peek()
    yield first
    if len(first) < PAGE or survey.count <= PAGE:
        return
    known = {letter.id for letter in first}
    async with box.walk(survey) as walk, aclosing(walk.pages()) as pages:
        async for page in pages:
            yield [letter for letter in page if letter.id not in known]
    box.note_unreleased(walk)


def write_json(document: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
