"""`simulator replay`: a recording to the queue or to MQTT."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

from runtime.lifecycle import exit_with_usage, run_service
from runtime.settings import SettingsError
from simulator.commands.options import Speed, Target, parse_speed, usage
from simulator.delivery import Delivery
from simulator.recording.tape import Playing, TapeWrong, play, read_tape
from simulator.running import CONNECTIONS, Clock, set_up_logs
from simulator.settings import SimulatorSettings
from simulator.targets import open_target

log = structlog.get_logger()


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `simulator record` wrote.")],
    target: Target = None,
    speed: Speed = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW", help="Give a pillow another name; may be repeated."),
    ] = None,
    prefix: Annotated[
        str, typer.Option(metavar="WORD-", help="Put this before every pillow's name.")
    ] = "",
    times: Annotated[
        int,
        typer.Option(
            min=1, max=10_000, help="So many of each pillow: cloud-1, cloud-1-2, cloud-1-3 …"
        ),
    ] = 1,
    stagger: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help="Each copy begins so much later."),
    ] = 0.0,
    keep_at: Annotated[
        bool,
        typer.Option(
            "--keep-at",
            help="Leave the recorded times as they are; a live system knows newer states already, "
            "and shows none of it.",
        ),
    ] = False,
    late: Annotated[
        str,
        typer.Option(
            metavar="send|skip",
            help="What is done with what is more than a second late: sent all the same, or "
            "passed over and counted.",
        ),
    ] = "send",
) -> None:
    """Play a recording back, at any speed, renamed or multiplied.

    [bold]Examples[/bold]

      simulator replay party.jsonl
      simulator replay party.jsonl --speed 10 --target mqtt --prefix again-
      simulator replay party.jsonl --times 100 --stagger 0.1
    """
    with usage("replay"):
        settings = SimulatorSettings.load(SIMULATOR_TARGET=target)
        pace = parse_speed(speed) or 1.0
        if late not in ("send", "skip"):
            raise SettingsError(f"--late = {late!r}: send or skip")
        how = Playing(_names(rename or []), prefix, times, stagger, restamp=not keep_at)
        goal = settings.target or "queue"
        set_up_logs(settings, live=False)
        wrong = ""
        with file.open("rb") as tape:
            # What is wrong is said before anything is sent.
            pillows: dict[str, None] = {}
            try:
                for line in read_tape(tape, name=str(file)):
                    if line.pillow:
                        for copy in range(times):
                            pillows.setdefault(how.name(line.pillow, copy))
                tape.seek(0)
            except TapeWrong as error:
                exit_with_usage("simulator replay", str(error))
            walls = None if pace == "max" else float(pace)
            clock = Clock(None, walls)

            async def go(stopping: asyncio.Event) -> None:
                nonlocal wrong
                own = list(pillows) if len(pillows) <= CONNECTIONS else []
                async with open_target(goal, settings, pillows=own) as opened:
                    delivery = Delivery(
                        play(read_tape(tape, name=str(file)), how, clock),
                        opened,
                        speed=walls,
                        may_skip=late == "skip",
                    )
                    log.info("replaying", file=str(file), target=goal, pillows=len(pillows))
                    try:
                        await delivery.run(stopping)
                    except TapeWrong as error:
                        wrong = str(error)
                    tally = delivery.tally
                    log.info("stopped", sent=tally.sent, skipped=tally.skipped, failed=tally.failed)

            run_service(go)
    if wrong:
        exit_with_usage("simulator replay", wrong)
    sys.stdout.flush()


def _names(pairs: list[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for pair in pairs:
        old, sign, new = pair.partition("=")
        if not (old and sign and new):
            raise SettingsError(f"--rename = {pair!r}: write it like cloud-1=stage-1")
        found.append((old, new))
    return tuple(found)
