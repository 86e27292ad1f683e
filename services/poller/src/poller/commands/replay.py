"""The command `replay`: moves dead letters from the poison queue to the state queue."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NoReturn

import msgspec
import typer

from poller.commands.context import CommandContext, run, run_and_exit, write_json
from poller.queues import DeadLetter, QueueStats
from poller.settle.dead_letter_report import DeadLetterReport, ReplayForecast
from poller.settle.redrive import RedriveResult, replay


class ReplayDocument(msgspec.Struct, frozen=True):
    """The JSON that `replay --json` writes: ids, and for those that failed the reason."""

    replayed: Sequence[str]
    failed: dict[str, str]
    not_found: Sequence[str]


def replay_all(*, yes: bool, json: bool) -> NoReturn:
    """Replay the letters that are there now, after a confirmation where there is a terminal."""
    asks = not yes and sys.stdin.isatty() and sys.stderr.isatty()
    found: list[QueueStats] = []
    first_page: list[DeadLetterReport] = []

    async def read_stats(context: CommandContext) -> int:
        stats = await context.stats()
        if not stats.count:
            if json:
                write_json(ReplayDocument((), {}, ()))
            else:
                context.stdout(context.count_line(stats, 0, all_=True))
            return 0
        found.append(stats)
        if asks:
            page = await context.queue.peek()
            first_page.extend(context.report_on(letter, stats) for letter in page)
        return 0

    # The question is asked between two runs of the event loop, where Ctrl-C ends it.
    status = run(read_stats)
    if status or not found:
        raise typer.Exit(status)
    [stats] = found
    if asks:
        forecasts = Counter(report.if_replayed for report in first_page)
        _print_forecasts(f"Of the first {len(first_page)}", forecasts)
        typer.confirm(f"Put about {stats.count} back on the queue?", abort=True, err=True)

    def is_wanted(letter: DeadLetter) -> bool:
        # A later one may be a letter that was replayed and has become a dead letter again.
        return letter.inserted_us <= stats.now_us

    run_and_exit(lambda context: _replay(context, stats, is_wanted, limit=stats.count, json=json))


async def replay_some(context: CommandContext, ids: frozenset[str], *, json: bool) -> int:
    """Replay the letters with these ids."""
    stats = await context.stats()
    return await _replay(
        context, stats, lambda letter: letter.id in ids, limit=len(ids), ids=ids, json=json
    )


async def _replay(
    context: CommandContext,
    stats: QueueStats,
    is_wanted: Callable[[DeadLetter], bool],
    *,
    limit: int,
    ids: frozenset[str] = frozenset(),
    json: bool,
) -> int:
    forecasts = Counter[ReplayForecast]()
    result = RedriveResult()
    if stats.count:
        with context.progress("replaying", limit) as advance:

            def on_replayed(letter: DeadLetter) -> None:
                forecasts[context.report_on(letter, stats).if_replayed] += 1
                advance()

            async with context.scan(stats) as scan:
                result = await replay(
                    context.queue,
                    scan,
                    context.stopping,
                    is_wanted,
                    limit=limit,
                    on_replayed=on_replayed,
                )
        context.print_unreleased(scan)
    missing = sorted(ids.difference(result.done, result.failed))
    context.print_errors(result, missing)
    if json:
        write_json(ReplayDocument(result.done, result.failed, missing))
    else:
        about = "" if ids else "about "
        context.stdout(
            f"{len(result.done)} of {about}{limit} put back on {context.settings.queue}"
            + (f", {len(result.failed)} failed." if result.failed else ".")
        )
        _print_forecasts("Of these", forecasts)
    return 1 if result.failed or missing or result.scan_error is not None else 0


def _print_forecasts(of: str, forecasts: Counter[ReplayForecast]) -> None:
    """Print the numbers of letters whose replay has an unexpected result."""
    back, now = forecasts[ReplayForecast.COMES_BACK], forecasts[ReplayForecast.AS_SAID_NOW]
    if back:
        typer.echo(
            f"{of}, cannot be decoded by this poller and become dead letters again: {back}",
            err=True,
        )
    if now:
        typer.echo(f"{of}, carry no time and get the time of the replay: {now}", err=True)
