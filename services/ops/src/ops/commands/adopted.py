"""The commands of the services that an operator uses: the same functions, under this command.

`dead-letters` is the poller's, `share` and the like are the gateway's, `remove` is the simulator's
`clear`.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final

import typer

from gateway.commands.cli import app as gateway
from ops.commands.options import COMMAND
from poller.commands.cli import dead_letters as poller_dead_letters
from runtime.command_line import command_line
from runtime.command_names import typed_as
from simulator.commands.clear import clear

NAMES: Final = {
    "poller dead-letters": f"{COMMAND} dead-letters",
    "simulator clear": f"{COMMAND} remove",
    "gateway": COMMAND,
}
"""What is typed here for the command of a service."""


def dead_letters() -> typer.Typer:
    """Return the group of commands for dead letters."""
    callback = poller_dead_letters.registered_callback
    assert callback is not None
    text = _text(callback.callback, "poller dead-letters")
    group = command_line(help=text)
    for name, function in _commands(poller_dead_letters):
        group.command(name, help=_text(function, "poller dead-letters"))(_named(function))
    return group


def add_others(app: typer.Typer) -> None:
    """Add the gateway's commands for share links and tokens, and `remove`."""
    for name, function in _commands(gateway):
        app.command(name, help=_text(function, "gateway"))(_named(function))
    app.command("remove", help=_text(clear, "simulator clear"))(_named(clear))


def _commands(app: typer.Typer) -> Iterator[tuple[str, Callable[..., Any]]]:
    for info in app.registered_commands:
        assert info.callback is not None
        yield info.name or info.callback.__name__, info.callback


def _named(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command whose messages name it as it was typed."""

    @wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        with typed_as(NAMES):
            return function(*arguments, **options)

    return run


def _text(function: Callable[..., Any] | None, command: str) -> str:
    """Return the help of a function, with this command in its examples."""
    text = inspect.getdoc(function) or ""
    for markup in ("[bold]", "[/bold]"):
        text = text.replace(markup, "")
    # As the other helps have it, so that the lines of the examples are not joined.
    text = text.replace("Examples\n\n", "\b\nExamples:\n")
    return text.replace(f"  {command}", f"  {NAMES[command]}").replace(
        f"`{command}", f"`{NAMES[command]}"
    )
