"""`simulator clear`: removes pillows from the broker, and so from every page."""

import asyncio
import sys
from typing import Annotated, Final

import typer

from contract.topics import is_pillow_id
from runtime.command_names import command_name
from runtime.lifecycle import exit_with_usage, run_service
from runtime.settings import SettingsError
from runtime.startup import load_for_command
from simulator.removal import RemovalFailed, RetainedPillows
from simulator.settings import SimulatorSettings
from simulator.terminal import RESULT_CONSOLE

COMMAND: Final = "simulator clear"


def clear(
    pillows: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PILLOW...",
            help="Ids, and prefixes like smoke-*; without any, every pillow.",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before every pillow is removed.")
    ] = False,
) -> None:
    """Remove pillows from the broker: their states, and their availability.

    Gateways and pollers forget them at once, and pages show them no more. A pillow that sends a
    state afterwards is there again. Only the broker's users simulator and operator may do it.

    [bold]Examples[/bold]

      simulator clear cloud-9               one pillow
      simulator clear 'smoke-*' cloud-9     those of a group, and one
      simulator clear --yes                 every pillow on the broker
    """
    # No line below an error, because the command says in sentences of its own what happens.
    settings = load_for_command(COMMAND, SimulatorSettings.load, level="error")
    for text in pillows or ():
        if not is_pillow_id(text.removesuffix("*") or "a"):
            exit_with_usage(
                COMMAND, f"PILLOW = {text!r}: an id like cloud-9, or a prefix like cloud-*"
            )
    if not pillows and not yes:
        if not sys.stdin.isatty():
            exit_with_usage(COMMAND, "name pillows, or give --yes to remove every one")
        typer.confirm("Remove every pillow from the broker?", abort=True, err=True)
    sys.exit(_run(settings, pillows or ["*"]))


def _run(settings: SimulatorSettings, patterns: list[str]) -> int:
    status = 1

    async def remove(stopping: asyncio.Event) -> None:
        nonlocal status
        retained = RetainedPillows(settings)
        try:
            async with retained.connected():
                found = retained.matching(patterns)
                await retained.remove([pillow for pillows in found.values() for pillow in pillows])
        except (SettingsError, RemovalFailed) as error:
            sys.stderr.write(f"{command_name(COMMAND)}: {error}\n")
        else:
            status = _report(found)
        stopping.set()

    run_service(remove)
    return status


def _report(found: dict[str, list[str]]) -> int:
    removed = sorted({pillow for pillows in found.values() for pillow in pillows})
    for pillow in removed:
        RESULT_CONSOLE.print(f"removed {pillow}", soft_wrap=True)
    missing = [pattern for pattern, pillows in found.items() if not pillows and pattern != "*"]
    for pattern in missing:
        sys.stderr.write(f"{command_name(COMMAND)}: no pillow {pattern} is on the broker\n")
    if not removed and not missing:
        RESULT_CONSOLE.print("there are no pillows on the broker")
    return 1 if missing else 0
