"""Command lines: what those of all services have in common.

Services start without it, because it loads a terminal library.
"""

import os
import sys
from typing import Annotated, Any

import typer

from runtime.version import print_version

Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for scripts.")]


def command_line(**options: Any) -> typer.Typer:
    """Return a command line, or a group of commands; `options` are those of `typer.Typer`.

    Unless they say otherwise, no arguments print the help, the help is plain text, tracebacks are
    Python's own, and there is no shell completion.
    """
    defaults: dict[str, Any] = {
        "add_completion": False,
        "pretty_exceptions_enable": False,
        "rich_markup_mode": None,
        "no_args_is_help": True,
        "context_settings": {"help_option_names": ["-h", "--help"]},
    }
    return typer.Typer(**defaults | options)


def version_option(service: str, command: str | None = None) -> Any:
    """Return the option --version, which prints the version of a service and exits."""

    def print_if(wanted: bool) -> None:
        if wanted:
            print_version(service, command)

    return typer.Option("--version", callback=print_if, is_eager=True, help="Print the version.")


def discard_output() -> None:
    """Discard standard output, whose reader has closed it: the flush at exit would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
