"""What the command lines of all services have in common."""

import subprocess
import sys
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from runtime.command_line import Json, command_line, version_option
from runtime.version import version_of


def program(app: typer.Typer) -> typer.Typer:
    """Add a callback with --version, and one command."""

    @app.callback()
    def poller(version: Annotated[bool, version_option("poller", "other")] = False) -> None:
        """Print [bold]plain[/bold] text."""

    @app.command()
    def show(json: Json = False) -> None:
        """Show."""
        typer.echo(f"json {json}")

    return app


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_the_help_is_plain_text_and_also_there_without_arguments(words: list[str]) -> None:
    result = CliRunner().invoke(program(command_line()), words)

    assert "Print [bold]plain[/bold] text." in result.output
    assert "--install-completion" not in result.output


def test_options_take_precedence() -> None:
    """Those of `typer.Typer`."""
    app = program(command_line(add_completion=True, no_args_is_help=False))

    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).output
    assert app.info.no_args_is_help is False


def test_the_version_is_that_of_the_service_under_the_name_of_the_command() -> None:
    result = CliRunner().invoke(program(command_line()), ["--version"])

    assert result.exit_code == 0
    assert result.output.startswith(f"other {version_of('poller')} (Python ")


@pytest.mark.parametrize(
    ("words", "output"), [(["show"], "json False"), (["show", "--json"], "json True")]
)
def test_json_is_an_option(words: list[str], output: str) -> None:
    assert CliRunner().invoke(program(command_line()), words).output == f"{output}\n"


def test_output_that_nobody_reads_any_more_is_discarded_without_a_word() -> None:
    """Neither a traceback nor the exit status 120 of a flush that fails at exit."""
    text = (
        "import sys; from runtime.command_line import discard_output\n"
        "try: print('unread', flush=True)\n"
        "except BrokenPipeError: discard_output(); raise SystemExit(1)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", f"input()\n{text}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate(b"\n")

    assert (err, process.returncode) == (b"", 1)
