"""The command line: wrong usage is refused before a request is sent."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from poller.commands.cli import app


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("replay", "give the ids of letters, or --all; not both"),
        ("replay some-id --all", "not both"),
        ("export", "FILE"),
        ("export - --json", "standard output is for the letters"),
        ("show", "ID"),
        ("bury", "bury"),
        ("list --what", "--what"),
    ],
)
def test_wrong_usage_is_exit_status_2_and_a_message_on_standard_error(
    words: str, message: str
) -> None:
    """Standard output is for results."""
    result = CliRunner().invoke(app, ["dead-letters", *words.split()])

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_an_existing_file_is_replaced_only_with_force(tmp_path: Path) -> None:
    """A directory is never replaced."""
    file = tmp_path / "letters.jsonl"
    file.write_text("precious")
    for words, message in (([str(file)], "--force"), ([str(tmp_path), "--force"], "is not a file")):
        result = CliRunner().invoke(app, ["dead-letters", "export", *words])
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr
    assert file.read_text() == "precious"


def test_an_unknown_command_does_not_start_the_service() -> None:
    """Only `poller` without arguments starts it."""
    result = CliRunner().invoke(app, ["serve"])

    assert (result.exit_code, result.stdout) == (2, "")
    assert "serve" in result.stderr


def test_the_help_fits_80_columns_and_names_the_settings() -> None:
    """No sentence is cut off."""
    runner = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    whole = runner.invoke(app, ["dead-letters", "--help"])

    assert whole.exit_code == 0
    assert "POISON_QUEUE_NAME" in whole.stdout
    assert "..." not in whole.stdout.replace("[ARGS]...", "")
    assert all(len(line) <= 80 for line in whole.stdout.splitlines())
