"""`simulator replay`: sends a recording to the queue or to MQTT."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, BinaryIO

import structlog
import typer

from runtime.lifecycle import exit_with_usage, run_service
from runtime.settings import SettingsError
from simulator.commands.options import Speed, Target, parse_speed, usage_errors
from simulator.recording.playback import PlaybackOptions, play
from simulator.recording.recording_file import InvalidRecording, read_recording
from simulator.runner import MAX_CONNECTIONS, StreamClock
from simulator.sender import Sender, SendOptions
from simulator.settings import SimulatorSettings, TargetName
from simulator.targets import open_target
from simulator.terminal import set_up_logs

log = structlog.get_logger()

Rename = Annotated[
    list[str] | None,
    typer.Option(metavar="OLD=NEW", help="Rename a pillow; may be repeated."),
]
Prefix = Annotated[str, typer.Option(metavar="WORD-", help="Put this before every pillow's name.")]
Times = Annotated[
    int,
    typer.Option(
        min=1,
        max=10_000,
        help="Play each pillow this number of times: as cloud-1, cloud-1-2, cloud-1-3 …",
    ),
]
Stagger = Annotated[
    float,
    typer.Option(min=0, metavar="SECONDS", help="Begin each copy this much later."),
]
KeepAt = Annotated[
    bool,
    typer.Option(
        "--keep-at",
        help="Keep the recorded times. A live system that has newer states ignores such states.",
    ),
]
Late = Annotated[
    str,
    typer.Option(
        metavar="send|skip",
        help="What to do with a message that is more than a second late: send it, or skip and "
        "count it.",
    ),
]


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of `simulator record`.")],
    target: Target = None,
    speed: Speed = None,
    rename: Rename = None,
    prefix: Prefix = "",
    times: Times = 1,
    stagger: Stagger = 0.0,
    keep_at: KeepAt = False,
    late: Late = "send",
) -> None:
    """Play a recording at any speed, with other names, or several times.

    [bold]Examples[/bold]

      simulator replay party.jsonl
      simulator replay party.jsonl --speed 10 --target mqtt --prefix again-
      simulator replay party.jsonl --times 100 --stagger 0.1
    """
    with usage_errors("replay"):
        settings = SimulatorSettings.load(SIMULATOR_TARGET=target)
        pace = parse_speed(speed) or 1.0
        if late not in ("send", "skip"):
            raise SettingsError(f"--late = {late!r}: send or skip")
        playback = PlaybackOptions(
            _parse_renames(rename or []), prefix, times, stagger, restamp=not keep_at
        )
        sending = SendOptions(speed=None if pace == "max" else float(pace), may_skip=late == "skip")
        set_up_logs(settings, live=False)
        with file.open("rb") as recording:
            try:
                _replay(settings, settings.target or "queue", recording, playback, sending)
            except InvalidRecording as error:
                exit_with_usage("simulator replay", str(error))
    sys.stdout.flush()


def _replay(
    settings: SimulatorSettings,
    target_name: TargetName,
    recording: BinaryIO,
    playback: PlaybackOptions,
    sending: SendOptions,
) -> None:
    """Play a recording; raises InvalidRecording, in most cases before anything is sent."""
    name = str(recording.name)
    # A first pass finds the pillows, and errors of the whole file.
    pillows = {
        playback.name(line.pillow, copy): None
        for line in read_recording(recording, name=name)
        if line.pillow
        for copy in range(playback.times)
    }
    recording.seek(0)
    connected = list(pillows) if len(pillows) <= MAX_CONNECTIONS else []
    invalid: InvalidRecording | None = None

    async def run(stopping: asyncio.Event) -> None:
        nonlocal invalid
        async with open_target(target_name, settings, pillows=connected) as target:
            lines = read_recording(recording, name=name)
            items = play(lines, playback, StreamClock(None, sending.speed))
            sender = Sender(items, target, sending)
            log.info("replaying", file=name, target=target_name, pillows=len(pillows))
            try:
                await sender.run(stopping)
            except InvalidRecording as error:
                invalid = error
            stats = sender.stats
            log.info("stopped", sent=stats.sent, skipped=stats.skipped, failed=stats.failed)

    run_service(run)
    if invalid is not None:
        raise invalid


def _parse_renames(pairs: list[str]) -> tuple[tuple[str, str], ...]:
    renames = []
    for pair in pairs:
        old, sign, new = pair.partition("=")
        if not (old and sign and new):
            raise SettingsError(f"--rename = {pair!r}: write it like cloud-1=stage-1")
        renames.append((old, new))
    return tuple(renames)
