"""Wrong usage ends with status 2 and a sentence, before anything is asked."""

import pytest
from typer.testing import CliRunner

from ops.__main__ import app


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["explain", "No Pillow"], "'No Pillow' is no pillow's id"),
        (["tail", "bridge"], "'bridge' is no pillow's id"),
        (["trace-client", "UPPER"], "'UPPER' is no client's id"),
        (["tail", "--for", "soon"], "soon"),
        (["doctor", "--service", "simulator"], "'simulator'"),
        (["bench", "--count", "0"], "--count"),
    ],
)
def test_wrong_usage_ends_with_status_2(words: list[str], message: str) -> None:
    result = CliRunner().invoke(app, words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
