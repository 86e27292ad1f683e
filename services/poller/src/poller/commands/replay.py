"""`replay`: letters are put back on the state queue, and only then taken from the poison queue."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NoReturn

import msgspec
import typer

from poller.commands.context import COMMAND, Box, do, run_to_exit, write_json
from poller.settle.dead_letters import Account, Letter, Outlook, Survey
from poller.settle.redrive import Tally, replay


def replay_all(*, yes: bool, json: bool) -> NoReturn:
    """Survey, ask where there is somebody to ask, and put back what was there at the survey."""
    asks = not yes and sys.stdin.isatty() and sys.stderr.isatty()
    surveys: list[Survey] = []
    first: list[Account] = []

    async def look(box: Box) -> int:
        survey = await box.queue.survey()
        if survey is None or not survey.count:
            if json:
                write_json(_Replayed((), {}, ()))
            else:
                box.say(box.sum_up(survey, 0, all_=True))
            return 0
        surveys.append(survey)
        if asks:
            first.extend(box.describe(letter, survey) for letter in await box.queue.peek())
        return 0

    # Asked between two runs, where Ctrl-C still ends the question.
    status = do(look)
    if status or not surveys:
        raise typer.Exit(status)
    [survey] = surveys
    if asks:
        _say_outlooks(f"Of the first {len(first)}", Counter(one.if_replayed for one in first))
        typer.confirm(f"Put about {survey.count} back on the queue?", abort=True, err=True)
    # What was put there later may be a letter that was replayed, and has come back already.
    run_to_exit(
        lambda box: _replay(
            box, survey, lambda letter: letter.inserted_us <= survey.now_us, survey.count, json=json
        )
    )


async def replay_some(box: Box, ids: frozenset[str], *, json: bool) -> int:
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
    box: Box,
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
        write_json(_Replayed(tally.replayed, tally.failed, missing))
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
