"""`simulator record`: writes real traffic to a file."""

import asyncio
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import structlog
import typer

from runtime.lifecycle import run_service
from runtime.settings import SettingsError
from simulator.commands.options import parse_for, usage_errors
from simulator.settings import SimulatorSettings
from simulator.terminal import CONSOLE, set_up_logs

log = structlog.get_logger()

Source = Literal["mqtt", "queue"]


def record(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The JSON Lines file to write.")],
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="mqtt|queue",
            help="On MQTT every message is recorded. The queue is only peeked at, so a message "
            "that a poller receives between two peeks is missed.",
        ),
    ] = "mqtt",
    lasts: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="Stop after this duration: 90s, 10m."),
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Stop after this number of messages.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Record what pillows send, with its times, for `simulator replay`; until Ctrl-C.

    [bold]Examples[/bold]

      simulator record party.jsonl --for 10m
      simulator record odd.jsonl --from queue --count 100
    """
    with usage_errors("record"):
        settings = SimulatorSettings.load()
        lasts_s = parse_for(lasts)
        if source not in ("mqtt", "queue"):
            raise SettingsError(f"--from = {source!r}: mqtt or queue")
        if file.exists() and not force:
            raise SettingsError(f"{file} exists already; --force overwrites it")
        set_up_logs(settings, live=False)
        with file.open("wb") as out:
            _record(settings, out, "mqtt" if source == "mqtt" else "queue", count, lasts_s)
    if CONSOLE.is_terminal:
        CONSOLE.print(f"to play it: simulator replay {file}", highlight=False)


def _record(
    settings: SimulatorSettings,
    out: BinaryIO,
    source: Source,
    count: int | None,
    lasts_s: float | None,
) -> None:
    """Record until a signal, `count` messages or `lasts_s` seconds."""
    # Imported only here, because loading Azure's libraries takes longer than anything before.
    from simulator.recording.recorder import Recorder, record_mqtt, record_queue

    record_source = record_mqtt if source == "mqtt" else record_queue

    async def run(stopping: asyncio.Event) -> None:
        recorder = Recorder(out, source, count)
        recording = asyncio.ensure_future(record_source(settings, recorder, stopping))
        full = asyncio.ensure_future(recorder.is_full.wait())
        await asyncio.wait((recording, full), timeout=lasts_s, return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        full.cancel()
        await recording
        log.info("recorded", lines=recorder.lines, file=str(out.name), source=source)

    run_service(run)
