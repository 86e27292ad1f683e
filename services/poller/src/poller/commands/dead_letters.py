"""The options of `poller dead-letters` and its exit status: 0 done, 1 not (all) done, 2 misused.

What is known of a letter is decided in `dead_letters`, how it looks in `terminal`, what is done
with it in `letterbox`.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from poller.commands.context import COMMAND, run_to_exit
from poller.commands.export import export_to_file, export_to_stdout
from poller.commands.list_and_show import list_letters, show_letter
from poller.commands.replay import replay_all, replay_some
from runtime.lifecycle import exit_with_usage

_NO_MARKUP: Final[dict[str, Any]] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
}

app = typer.Typer(**_NO_MARKUP)
dead_letters = typer.Typer(**_NO_MARKUP, no_args_is_help=True)
app.add_typer(dead_letters, name="dead-letters")

Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for scripts.")]


@app.callback()
def poller() -> None:
    """Carry states from an Azure Storage Queue to MQTT; without a command, until a signal.

    Settings come from the environment.
    """


@dead_letters.callback()
def group() -> None:
    """List, show, replay, export dead letters.

    They are the messages that could not be published, kept in the poison queue. Settings come
    from the environment, as the poller's do: AZURE_STORAGE_CONNECTION_STRING or
    AZURE_STORAGE_QUEUE_ENDPOINT, QUEUE_NAME, POISON_QUEUE_NAME.
    """


@dead_letters.command("list")
def list_(
    json: Json = False,
    all_: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Not only the first 32. More than 32 are hidden from others meanwhile, and count "
            "as read once more.",
        ),
    ] = False,
) -> None:
    """List the dead letters, hiding none."""
    run_to_exit(lambda box: list_letters(box, all_=all_, json=json))


@dead_letters.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    json: Json = False,
) -> None:
    """Show one dead letter, with its whole text."""
    run_to_exit(lambda box: show_letter(box, letter, json=json))


@dead_letters.command("replay")
def replay_(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="As `list` shows it.")
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="All that are there now; not what comes meanwhile.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before --all.")] = False,
    json: Json = False,
) -> None:
    """Put dead letters back on the state queue.

    Only then is each taken from the poison queue. Stopped in between, a letter is in both:
    replaying it once more is harmless.
    """
    if bool(ids) == all_:
        exit_with_usage(f"{COMMAND} replay", "name the letters, or say --all; not both")
    if all_:
        replay_all(yes=yes, json=json)
    run_to_exit(lambda box: replay_some(box, frozenset(ids or ()), json=json))


@dead_letters.command()
def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="- for standard output.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json: Json = False,
) -> None:
    """Copy all dead letters to a file, as JSON lines.

    They stay where they are. More than 32 are hidden from others meanwhile, and count as read once
    more.
    """
    if file == "-":
        if json:
            exit_with_usage(f"{COMMAND} export", "with -, standard output is for the letters")
        run_to_exit(export_to_stdout)
    path = Path(file).resolve()
    if path.exists() and not path.is_file():
        exit_with_usage(f"{COMMAND} export", f"{file} is no file; - is standard output")
    if path.exists() and not force:
        exit_with_usage(f"{COMMAND} export", f"{file} is there already; --force replaces it")
    run_to_exit(lambda box: export_to_file(box, path, force=force, json=json))


def run() -> None:
    """Run the command that the arguments name."""
    app(prog_name="poller")
