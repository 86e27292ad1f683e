"""The command line of `poller dead-letters`: its commands and options.

The exit status is 0 when all was done, 1 when it was not, and 2 for wrong usage.
"""

from pathlib import Path
from typing import Annotated

import typer

from poller.commands.context import COMMAND, run_and_exit
from poller.commands.delete import delete_letters
from poller.commands.export import export_to_file, export_to_stdout
from poller.commands.list_and_show import list_letters, show_letter
from poller.commands.replay import replay_all, replay_some
from runtime.command_line import Json, command_line, version_option
from runtime.lifecycle import exit_with_usage

app = command_line()
dead_letters = command_line()
app.add_typer(dead_letters, name="dead-letters")


@app.callback()
def poller(
    version: Annotated[bool, version_option("poller")] = False,
) -> None:
    """Publish states from an Azure Storage Queue to MQTT; without a command, until a signal.

    Settings are read from the environment; .env.example lists them.

    \b
    Examples:
      poller
      POLLER_JOURNAL=/var/lib/poller POLLER_PORT=9081 poller
      poller dead-letters list
    """


@dead_letters.callback()
def group() -> None:
    """List, show, replay, export and delete dead letters.

    A dead letter is a message that could not be published; the poison queue keeps it. The settings
    are the poller's, read from the environment: AZURE_STORAGE_CONNECTION_STRING or
    AZURE_STORAGE_QUEUE_ENDPOINT, QUEUE_NAME, POISON_QUEUE_NAME.

    \b
    Examples:
      poller dead-letters list
      poller dead-letters show 5c07ad27-9a09-4c9e-8d3f-0f5b2c0f6c11
      poller dead-letters replay --all
    """


@dead_letters.command("list")
def list_(
    json: Json = False,
    all_: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Not only the first 32. More than 32 are hidden from other consumers meanwhile, "
            "and count as read once more.",
        ),
    ] = False,
) -> None:
    """List the dead letters.

    \b
    Examples:
      poller dead-letters list
      poller dead-letters list --all --json
    """
    run_and_exit(lambda context: list_letters(context, all_=all_, json=json))


@dead_letters.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    json: Json = False,
) -> None:
    """Show one dead letter, with its whole text.

    \b
    Example:
      poller dead-letters show 5c07ad27-9a09-4c9e-8d3f-0f5b2c0f6c11
    """
    run_and_exit(lambda context: show_letter(context, letter, json=json))


@dead_letters.command("replay")
def replay_(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="As `list` shows it.")
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="All that are there now; not those that arrive meanwhile.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before --all.")] = False,
    json: Json = False,
) -> None:
    """Put dead letters back on the state queue.

    Each is then deleted from the poison queue. A letter may be in both queues after an
    interruption; it is harmless to replay it once more.

    \b
    Examples:
      poller dead-letters replay 5c07ad27-9a09-4c9e-8d3f-0f5b2c0f6c11
      poller dead-letters replay --all --yes
    """
    if bool(ids) == all_:
        exit_with_usage(f"{COMMAND} replay", "give the ids of letters, or --all; not both")
    if all_:
        replay_all(yes=yes, json=json)
    run_and_exit(lambda context: replay_some(context, frozenset(ids or ()), json=json))


@dead_letters.command("delete")
def delete_(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `list` shows it.")],
    json: Json = False,
) -> None:
    """Delete dead letters for good; `export` keeps a copy of them.

    The other letters are hidden from other consumers meanwhile, and count as read once more.

    \b
    Examples:
      poller dead-letters delete 5c07ad27-9a09-4c9e-8d3f-0f5b2c0f6c11
    """
    run_and_exit(lambda context: delete_letters(context, frozenset(ids), json=json))


@dead_letters.command()
def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="- for standard output.")],
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    json: Json = False,
) -> None:
    """Copy all dead letters to a file, as JSON lines.

    They stay in the poison queue. More than 32 are hidden from other consumers meanwhile, and
    count as read once more.

    \b
    Examples:
      poller dead-letters export letters.jsonl
      poller dead-letters export - | jq .reason
    """
    if file == "-":
        if json:
            exit_with_usage(f"{COMMAND} export", "with -, standard output is for the letters")
        run_and_exit(export_to_stdout)
    path = Path(file).resolve()
    if path.exists() and not path.is_file():
        exit_with_usage(f"{COMMAND} export", f"{file} is not a file; - is standard output")
    if path.exists() and not force:
        exit_with_usage(f"{COMMAND} export", f"{file} exists; --force replaces it")
    run_and_exit(lambda context: export_to_file(context, path, force=force, json=json))


def run() -> None:
    """Run the command that the arguments name."""
    app(prog_name="poller")
