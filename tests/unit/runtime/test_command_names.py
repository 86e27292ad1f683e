"""A command is named as it was typed."""

import pytest

from runtime.command_names import command_name, typed_as
from runtime.lifecycle import exit_with_usage


def test_a_command_and_those_below_it_have_the_name_that_was_typed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Others, and every one afterwards, have their own."""
    with typed_as({"gateway": "pillowcast", "poller dead-letters": "pillowcast dead-letters"}):
        assert command_name("gateway") == "pillowcast"
        assert command_name("poller dead-letters replay") == "pillowcast dead-letters replay"
        assert command_name("gateways") == "gateways"
        with pytest.raises(SystemExit):
            exit_with_usage("gateway", "no")

    assert capsys.readouterr().err == "pillowcast: no\n"
    assert command_name("gateway") == "gateway"
