"""The command line of `notifier`: its commands and options.

The exit status is 0 when all was done, 1 when it was not, and 2 for wrong usage, settings or rules.
"""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from notifier.commands.dead_letters import (
    delete_letters,
    list_letters,
    retry_letters,
    show_letter,
)
from runtime.command_line import Json, command_line, discard_output, version_option
from runtime.lifecycle import exit_with_usage

app = command_line()
dead_letters = command_line()
app.add_typer(dead_letters, name="dead-letters")

Numbers = Annotated[
    list[int] | None, typer.Argument(metavar="NUMBER...", help="As `list` shows it.")
]
All = Annotated[bool, typer.Option("--all", help="All that are there.")]


@app.callback()
def notifier(
    version: Annotated[bool, version_option("notifier")] = False,
) -> None:
    """Post what happens to pillows to webhooks; without a command, until a signal.

    Settings are read from the environment; .env.example lists them. NOTIFIER_RULES is the file
    with the rules; docs/webhooks.md describes it.

    \b
    Examples:
      notifier
      NOTIFIER_RULES=/etc/notifier.toml NOTIFIER_OUTBOX=/var/lib/notifier/outbox.db notifier
      notifier check --send
      notifier dead-letters list
    """


@app.command()
def check(
    destinations: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DESTINATION...]", help="Those that --send sends to; else all."),
    ] = None,
    sends: Annotated[
        bool, typer.Option("--send", help="Send a test event to each destination, once.")
    ] = False,
    json: Json = False,
) -> None:
    """Validate settings and rules, and send a test event if wanted. The notifier need not run.

    \b
    Examples:
      notifier check
      notifier check --send
      notifier check --send phone
    """
    if destinations and not sends:
        exit_with_usage("notifier check", "names of destinations need --send")
    # Imported here, because help and dead letters need no HTTP client.
    from notifier.commands.check import check as run_check

    _run(lambda: run_check(destinations or [], sends=sends, as_json=json))


@dead_letters.callback()
def group() -> None:
    """List, show, retry and delete dead letters.

    A dead letter is an event that could not be delivered. They are in NOTIFIER_OUTBOX, also while
    the notifier runs.

    \b
    Examples:
      notifier dead-letters list
      notifier dead-letters retry --all
    """


@dead_letters.command("list")
def list_(json: Json = False) -> None:
    """List the dead letters, the latest first.

    \b
    Examples:
      notifier dead-letters list
      notifier dead-letters list --json
    """
    _run(lambda: list_letters(as_json=json))


@dead_letters.command()
def show(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="As `list` shows it.")],
) -> None:
    """Show one dead letter, with its whole event, as JSON.

    \b
    Example:
      notifier dead-letters show 17
    """
    _run(lambda: show_letter(number))


@dead_letters.command()
def retry(numbers: Numbers = None, all_: All = False, json: Json = False) -> None:
    """Send dead letters once more, with the ids that they had.

    \b
    Examples:
      notifier dead-letters retry 17 18
      notifier dead-letters retry --all
    """
    _one_of("retry", numbers, all_)
    _run(lambda: retry_letters(None if all_ else numbers, as_json=json))


@dead_letters.command()
def delete(numbers: Numbers = None, all_: All = False, json: Json = False) -> None:
    """Delete dead letters for good.

    \b
    Examples:
      notifier dead-letters delete 17
      notifier dead-letters delete --all
    """
    _one_of("delete", numbers, all_)
    _run(lambda: delete_letters(None if all_ else numbers, as_json=json))


def run() -> None:
    """Run the command that the arguments name."""
    app(prog_name="notifier")


def _one_of(command: str, numbers: list[int] | None, all_: bool) -> None:
    if bool(numbers) == all_:
        exit_with_usage(
            f"notifier dead-letters {command}", "give the numbers of letters, or --all; not both"
        )


def _run(command: Callable[[], None]) -> None:
    try:
        command()
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
