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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["remove"], "pillowcast remove: name pillows"),
        (["remove", "No Pillow"], "pillowcast remove: PILLOW = 'No Pillow'"),
        (["unshare", "no"], "pillowcast: 'no' is no id of a share link; see `pillowcast shares`"),
        (["token", "cloud-1", "--for", "soon"], "pillowcast: "),
        (["dead-letters", "replay"], "pillowcast dead-letters replay: give the ids"),
    ],
)
def test_a_service_s_command_speaks_of_what_was_typed(words: list[str], message: str) -> None:
    """Not of the service's own command line."""
    result = CliRunner().invoke(app, words, env={"GATEWAY_JWT_SECRET": "x" * 32})

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
