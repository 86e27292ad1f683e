"""`simulator record`: real traffic to a file."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import structlog
import typer

from runtime.lifecycle import run_service
from runtime.settings import SettingsError
from simulator.commands.options import parse_lasts, usage
from simulator.running import CONSOLE, set_up_logs
from simulator.settings import SimulatorSettings

log = structlog.get_logger()


def record(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The JSON Lines file to write.")],
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="mqtt|queue",
            help="MQTT hears everything. The queue is only looked at, nothing is taken: what a "
            "poller takes between two looks is missed.",
        ),
    ] = "mqtt",
    lasts: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="Stop after so long: 90s, 10m."),
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after so many messages.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
) -> None:
    """Record what pillows say, with its times, for `simulator replay`; until Ctrl-C.

    [bold]Examples[/bold]

      simulator record party.jsonl --for 10m
      simulator record odd.jsonl --from queue --count 100
    """
    with usage("record"):
        settings = SimulatorSettings.load()
        seconds = parse_lasts(lasts)
        where: Literal["mqtt", "queue"]
        if source == "mqtt" or source == "queue":
            where = "mqtt" if source == "mqtt" else "queue"
        else:
            raise SettingsError(f"--from = {source!r}: mqtt or queue")
        if file.exists() and not force:
            raise SettingsError(f"{file} is there already; --force writes over it")
        set_up_logs(settings, live=False)
        # Loading Azure's libraries takes longer than anything before it.
        from simulator.recording.recorder import Recorder, record_mqtt, record_queue

        with file.open("wb") as out:

            async def go(stopping: asyncio.Event) -> None:
                recorder = Recorder(out, where, count)
                work = asyncio.ensure_future(
                    (record_mqtt if where == "mqtt" else record_queue)(settings, recorder, stopping)
                )
                full = asyncio.ensure_future(recorder.full.wait())
                await asyncio.wait(
                    (work, full), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
                )
                stopping.set()
                full.cancel()
                await work
                log.info("recorded", lines=recorder.lines, file=str(file), source=where)

            run_service(go)
    if CONSOLE.is_terminal:
        CONSOLE.print(f"play it: simulator replay {file}", highlight=False)
