"""What the command takes for wrong usage, before any queue is asked."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from poller.commands.dead_letters import app


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("replay", "name the letters, or say --all; not both"),
        ("replay some-id --all", "not both"),
        ("export", "FILE"),
        ("export - --json", "standard output is for the letters"),
        ("show", "ID"),
        ("bury", "bury"),
        ("list --what", "--what"),
    ],
)
def test_wrong_usage_is_exit_status_2_and_says_what_is_wrong(words: str, says: str) -> None:
    """On standard error; standard output is for answers."""
    result = CliRunner().invoke(app, ["dead-letters", *words.split()])

    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    """Nor anything that is no file, even when asked."""
    file = tmp_path / "letters.jsonl"
    file.write_text("precious")
    for words, says in (([str(file)], "--force"), ([str(tmp_path), "--force"], "is no file")):
        result = CliRunner().invoke(app, ["dead-letters", "export", *words])
        assert (result.exit_code, result.stdout) == (2, "")
        assert says in result.stderr
    assert file.read_text() == "precious"


def test_an_argument_that_is_no_command_does_not_start_the_service() -> None:
    """The service is `poller` and nothing else."""
    result = CliRunner().invoke(app, ["serve"])

    assert (result.exit_code, result.stdout) == (2, "")
    assert "serve" in result.stderr


def test_the_help_fits_80_columns_and_names_the_settings() -> None:
    """No sentence of it is cut off."""
    runner = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    whole = runner.invoke(app, ["dead-letters", "--help"])

    assert whole.exit_code == 0
    assert "POISON_QUEUE_NAME" in whole.stdout
    assert "..." not in whole.stdout.replace("[ARGS]...", "")
    assert all(len(line) <= 80 for line in whole.stdout.splitlines())
