"""The command line of the recorder: export, prune, stats.

The exit status is 0 when all was done, 1 when it was not, and 2 for wrong usage.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from contract.timestamps import format_timestamp, parse_timestamp
from contract.topics import is_pillow_id
from recorder.commands.context import COMMAND, run_and_exit
from recorder.commands.work import Export, Format, export, prune, stats
from runtime.command_line import Json, command_line, version_option
from runtime.lifecycle import exit_with_usage

app = command_line()

LAST_US: Final = 253_402_300_799_999_999
"""The end of the year 9999, after which no timestamp is."""


@app.callback()
def recorder(
    version: Annotated[bool, version_option("recorder")] = False,
) -> None:
    """Record states from MQTT in a database; without a command, until a signal.

    Settings are read from the environment; .env.example lists them.

    \b
    Examples:
      HISTORY_URL=sqlite:////var/lib/pillowcast/history.db recorder
      recorder stats
      recorder export --pillow cloud-1 --format csv cloud-1.csv
    """


def _instant(option: str, text: str | None, default_us: int) -> int:
    """Return an instant in microseconds: RFC 3339, or a date, which begins in UTC."""
    if text is None:
        return default_us
    at_us = parse_timestamp(text)
    if at_us is None:
        try:
            day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            exit_with_usage(
                f"{COMMAND} export",
                f"{option} {text!r} is no instant: write 2026-11-29 or 2026-11-29T03:00:00Z",
            )
        at_us = round(day.timestamp()) * 1_000_000
    return at_us


@app.command("export")
def export_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="- for standard output.")] = "-",
    pillow: Annotated[
        list[str] | None,
        typer.Option(
            "--pillow", help="A pillow's id; several times for several. All unless given."
        ),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="From this instant or day (UTC) on.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Before this instant or day (UTC).")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="csv, jsonl or parquet.")] = (
        Format.JSONL
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write recorded states to a file, each pillow's in the order of their times.

    \b
    Examples:
      recorder export --pillow cloud-1 --from 2026-11-01 --to 2026-12-01 --format csv november.csv
      recorder export --format parquet all.parquet
      recorder export --pillow cloud-1 | jq .state
    """
    wanted = Export(
        path=None if file == "-" else Path(file),
        pillows=tuple(dict.fromkeys(pillow or ())),
        from_us=_instant("--from", from_, 0),
        until_us=_instant("--to", to, LAST_US),
        format=format_,
    )
    if wrong := _wrong_with(wanted, is_replaced=force):
        exit_with_usage(f"{COMMAND} export", wrong)
    run_and_exit(lambda engine, _settings: export(engine, wanted), read_only=True)


def _wrong_with(wanted: Export, *, is_replaced: bool) -> str | None:
    """Return why an export is not begun; None if it can be."""
    for name in wanted.pillows:
        if not is_pillow_id(name):
            return f"--pillow {name!r} can be no pillow's id"
    if wanted.from_us >= wanted.until_us:
        return (
            f"--from {format_timestamp(wanted.from_us)} is not before "
            f"--to {format_timestamp(wanted.until_us)}"
        )
    path = wanted.path
    if path is None:
        return "--format parquet needs a FILE" if wanted.format is Format.PARQUET else None
    if not path.parent.is_dir():
        return f"{path}: there is no folder {path.parent}"
    if path.is_dir():
        return f"{path} is a folder: name a file in it"
    return f"{path} exists; --force replaces it" if path.exists() and not is_replaced else None


@app.command("prune")
def prune_(
    keep_days: Annotated[
        float | None,
        typer.Option("--keep-days", help="Instead of RECORDER_KEEP_DAYS.", min=0.0),
    ] = None,
    keep_bytes: Annotated[
        int | None, typer.Option("--keep-bytes", help="Instead of RECORDER_KEEP_BYTES.")
    ] = None,
) -> None:
    """Delete what is too old or too much, as the service does by itself.

    \b
    Examples:
      recorder prune
      recorder prune --keep-days 7
    """
    given = {"RECORDER_KEEP_DAYS": keep_days, "RECORDER_KEEP_BYTES": keep_bytes}
    run_and_exit(prune, read_only=False, given=given)


@app.command("stats")
def stats_(json: Json = False) -> None:
    """Say what the database has: pillows, states, from when until when, and its size.

    \b
    Examples:
      recorder stats
      recorder stats --json
    """
    run_and_exit(lambda engine, settings: stats(engine, settings, json=json), read_only=True)


def run() -> None:
    """Run the command that the arguments name."""
    app(prog_name=COMMAND, args=sys.argv[1:])
