"""The command `poller dead-letters`: people's way to what the poison queue keeps.

What is known of a letter is decided in `dead_letters`, how it looks in `terminal`, what is done
with it in `letterbox`; here are the options, the answers and the exit status: 0 done, 1 not (all)
done, 2 wrong usage.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from poller.dead_letters import (
    PAGE,
    Account,
    Letter,
    Outlook,
    Survey,
    describe,
    printable,
)
from poller.letterbox import Tally, Walk, replay
from poller.queues import PoisonQueue, QueueDenied, QueueUnavailable
from poller.settings import PollerSettings
from poller.terminal import print_letter, print_list
from runtime.lifecycle import exit_with_usage, run_service
from runtime.logs import configure_logs
from runtime.settings import SettingsError

COMMAND: Final = "poller dead-letters"

_NAMED: Final = 8
"""How many ids are said of those to which the same happened."""

_NO_MARKUP: Final[dict[str, Any]] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
}

app = typer.Typer(**_NO_MARKUP)
dead_letters = typer.Typer(**_NO_MARKUP, no_args_is_help=True)
app.add_typer(dead_letters, name="dead-letters")

Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for scripts.")]


@app.callback()
def poller() -> None:
    """Carry states from an Azure Storage Queue to MQTT; without a command, until a signal.

    Settings come from the environment.
    """


@dead_letters.callback()
def group() -> None:
    """List, show, replay, export dead letters.

    They are the messages that could not be published, kept in the poison queue. Settings come
    from the environment, as the poller's do: AZURE_STORAGE_CONNECTION_STRING or
    AZURE_STORAGE_QUEUE_ENDPOINT, QUEUE_NAME, POISON_QUEUE_NAME.
    """


@dead_letters.command("list")
def list_(
    json: Json = False,
    all_: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Not only the first 32. More than 32 are hidden from others meanwhile, and count "
            "as read once more.",
        ),
    ] = False,
) -> None:
    """List the dead letters, hiding none."""
    _run(lambda box: _list(box, all_=all_, json=json))


@dead_letters.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    json: Json = False,
) -> None:
    """Show one dead letter, with its whole text."""
    _run(lambda box: _show(box, letter, json=json))


@dead_letters.command("replay")
def replay_(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="As `list` shows it.")
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="All that are there now; not what comes meanwhile.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before --all.")] = False,
    json: Json = False,
) -> None:
    """Put dead letters back on the state queue.

    Only then is each taken from the poison queue. Stopped in between, a letter is in both:
    replaying it once more is harmless.
    """
    if bool(ids) == all_:
        exit_with_usage(f"{COMMAND} replay", "name the letters, or say --all; not both")
    if all_:
        _replay_all(yes=yes, json=json)
    _run(lambda box: _replay_some(box, frozenset(ids or ()), json=json))


@dead_letters.command()
def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="- for standard output.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json: Json = False,
) -> None:
    """Copy all dead letters to a file, as JSON lines.

    They stay where they are. More than 32 are hidden from others meanwhile, and count as read once
    more.
    """
    if file == "-":
        if json:
            exit_with_usage(f"{COMMAND} export", "with -, standard output is for the letters")
        _run(_export_to_stdout)
    path = Path(file).resolve()
    if path.exists() and not path.is_file():
        exit_with_usage(f"{COMMAND} export", f"{file} is no file; - is standard output")
    if path.exists() and not force:
        exit_with_usage(f"{COMMAND} export", f"{file} is there already; --force replaces it")
    _run(lambda box: _export(box, path, force=force, json=json))


class _Box:
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


def _do(work: Callable[[_Box], Awaitable[int]]) -> int:
    """Work on the queue that the environment names; returns the exit status."""
    try:
        settings = PollerSettings.load()
    except SettingsError as error:
        exit_with_usage(COMMAND, str(error))
    # The SDK takes a second to load, which help and wrong usage need not wait for.
    from poller.storage.queue import AzureQueue

    configure_logs("poller", level="warning", style=settings.log_format)
    status = 1

    async def serve(stopping: asyncio.Event) -> None:
        nonlocal status
        try:
            service = AzureQueue.from_settings(settings)
        except QueueDenied as error:
            exit_with_usage(COMMAND, str(error))
        async with service:
            box = _Box(settings, service.dead_letters(), stopping)
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


def _run(work: Callable[[_Box], Awaitable[int]]) -> NoReturn:
    raise typer.Exit(_do(work))


async def _pages(box: _Box, survey: Survey) -> AsyncGenerator[list[Letter], None]:
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


# list


async def _list(box: _Box, *, all_: bool, json: bool) -> int:
    survey = await box.queue.survey()
    letters: list[Account] = []
    if survey is not None and survey.count and not all_:
        letters = [box.describe(letter, survey) for letter in await box.queue.peek()]
    elif survey is not None and survey.count:
        with box.progress("reading", survey.count) as advance:
            async with aclosing(_pages(box, survey)) as pages:
                async for page in pages:
                    for letter in page:
                        letters.append(box.describe(letter, survey))
                        advance()
    total = survey.count if survey is not None else 0
    if json:
        document = {
            "queue": box.settings.poison_queue,
            "total": total,
            "complete": len(letters) >= total and not box.stopping.is_set(),
            "letters": letters,
        }
        _write_json(document)
        return 0
    print_list(box.out, letters)
    if not box.stopping.is_set():
        box.say(box.sum_up(survey, len(letters), all_=all_))
    return 0


# show


async def _show(box: _Box, wanted: str, *, json: bool) -> int:
    survey = await box.queue.survey()
    letter = None
    if survey is not None:
        async with aclosing(_pages(box, survey)) as pages:
            async for page in pages:
                letter = next((one for one in page if one.id == wanted), None)
                if letter is not None:
                    break
    if survey is None or letter is None:
        box.note(box.not_found([wanted]))
        return 1
    account = box.describe(letter, survey)
    if json:
        _write_json(account)
        return 0
    print_letter(box.out, account, box.settings.poison_queue)
    return 0


# replay


def _replay_all(*, yes: bool, json: bool) -> NoReturn:
    """Survey, ask where there is somebody to ask, and put back what was there at the survey."""
    asks = not yes and sys.stdin.isatty() and sys.stderr.isatty()
    surveys: list[Survey] = []
    first: list[Account] = []

    async def look(box: _Box) -> int:
        survey = await box.queue.survey()
        if survey is None or not survey.count:
            if json:
                _write_json(_Replayed((), {}, ()))
            else:
                box.say(box.sum_up(survey, 0, all_=True))
            return 0
        surveys.append(survey)
        if asks:
            first.extend(box.describe(letter, survey) for letter in await box.queue.peek())
        return 0

    # Asked between two runs, where Ctrl-C still ends the question.
    status = _do(look)
    if status or not surveys:
        raise typer.Exit(status)
    [survey] = surveys
    if asks:
        _say_outlooks(f"Of the first {len(first)}", Counter(one.if_replayed for one in first))
        typer.confirm(f"Put about {survey.count} back on the queue?", abort=True, err=True)
    # What was put there later may be a letter that was replayed, and has come back already.
    _run(
        lambda box: _replay(
            box, survey, lambda letter: letter.inserted_us <= survey.now_us, survey.count, json=json
        )
    )


async def _replay_some(box: _Box, ids: frozenset[str], *, json: bool) -> int:
    survey = await box.queue.survey() or Survey(0, 0)
    return await _replay(
        box, survey, lambda letter: letter.id in ids, len(ids), named=ids, json=json
    )


class _Replayed(msgspec.Struct, frozen=True):
    """What a replay tells scripts: ids, and why it was not done for others."""

    replayed: Sequence[str]
    failed: dict[str, str]
    not_found: Sequence[str]


async def _replay(
    box: _Box,
    survey: Survey,
    wanted: Callable[[Letter], bool],
    most: int,
    *,
    named: frozenset[str] = frozenset(),
    json: bool,
) -> int:
    outlooks = Counter[Outlook]()
    tally = Tally()
    if survey.count:
        with box.progress("replaying", most) as advance:

            def on_replayed(letter: Letter) -> None:
                outlooks[box.describe(letter, survey).if_replayed] += 1
                advance()

            async with box.walk(survey) as walk:
                tally = await replay(
                    box.queue, walk, box.stopping, wanted, most=most, on_replayed=on_replayed
                )
        box.note_unreleased(walk)
    missing = sorted(named.difference(tally.replayed, tally.failed))

    box.note_failed(tally.failed)
    if tally.trouble is not None:
        box.note(f"{COMMAND}: {tally.trouble}")
    elif missing and not box.stopping.is_set():
        box.note(box.not_found(missing))
    if json:
        _write_json(_Replayed(tally.replayed, tally.failed, missing))
    else:
        about = "" if named else "about "
        box.say(
            f"{len(tally.replayed)} of {about}{most} put back on {box.settings.queue}"
            + (f", {len(tally.failed)} failed." if tally.failed else ".")
        )
        _say_outlooks("Of these", outlooks)
    return 1 if tally.failed or missing or tally.trouble is not None else 0


def _say_outlooks(of: str, outlooks: Counter[Outlook]) -> None:
    """Say what to expect of a replay, where that is not what one would think."""
    back, now = outlooks[Outlook.COMES_BACK], outlooks[Outlook.AS_SAID_NOW]
    if back:
        typer.echo(
            f"{of}, unreadable to this poller and so coming back as dead letters: {back}", err=True
        )
    if now:
        typer.echo(
            f"{of}, without a time of their own and so counting as said now: {now}", err=True
        )


# export


async def _export(box: _Box, path: Path, *, force: bool, json: bool) -> int:
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
        _write_json({"file": str(path), "letters": count})
    else:
        box.say(f"{count} written to {path}.")
    return 0


def _put_in_place(beside: Path, path: Path, *, force: bool) -> None:
    if not force:
        path.touch(exist_ok=False)
    beside.replace(path)


async def _export_to_stdout(box: _Box) -> int:
    count = await _copy(box, sys.stdout.buffer.write, progress=not sys.stdout.isatty())
    box.note(f"{count} written.")
    return 0


async def _copy(box: _Box, write: Callable[[bytes], object], *, progress: bool) -> int:
    """Write each letter as a line; returns how many."""
    survey = await box.queue.survey()
    count = 0
    if survey is not None and survey.count:
        with box.progress("exporting", survey.count, wanted=progress) as advance:
            async with aclosing(_pages(box, survey)) as pages:
                async for page in pages:
                    for letter in page:
                        write(msgspec.json.encode(box.describe(letter, survey)) + b"\n")
                        advance()
                    count += len(page)
        if count < survey.count and not box.stopping.is_set():
            box.note(box.sum_up(survey, count, all_=True))
    return count


def _write_json(document: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")


def run() -> None:
    """Run the command that the arguments name."""
    app(prog_name="poller")
