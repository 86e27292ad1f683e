"""The levels of the log, from a setting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.log_levels import LEVELS, LogLevels, parse_log_levels
from tests.unit.contract.strategies import any_text


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("info", LogLevels()),
        ("WARNING", LogLevels("warning")),
        ("", LogLevels()),
        ("gateway=debug", LogLevels("info", (("gateway", "debug"),))),
        (
            " info, gateway.transport=Debug ,azure=warning,",
            LogLevels("info", (("gateway.transport", "debug"), ("azure", "warning"))),
        ),
        ("azure=error,debug", LogLevels("debug", (("azure", "error"),))),
    ],
)
def test_a_text_names_a_level_and_those_of_loggers(text: str, levels: LogLevels) -> None:
    """In any order, with blanks, in any letter case."""
    assert parse_log_levels(text) == levels


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("loud", "'loud' has no level: use debug, info, warning, error"),
        ("info,gateway=loud", "'gateway=loud' has no level"),
        ("gateway=", "'gateway=' has no level"),
        ("info,=debug", "'=debug' has no logger"),
        ("info,a b=debug", "'a b=debug' has no logger"),
        ("info,.a=debug", "'.a=debug' has no logger"),
        ("a=info,a=debug", "'a=debug' is the second level of a"),
        ("info,debug", "has two levels for everything: info and debug"),
    ],
)
def test_a_wrong_part_is_named(text: str, named: str) -> None:
    """So that a person sees what to correct in a long value."""
    with pytest.raises(ValueError, match=r"level|logger") as caught:
        parse_log_levels(text)
    assert str(caught.value).startswith(named)


@given(any_text)
def test_any_text_is_levels_or_an_error(text: str) -> None:
    """The lowest level is one of those named."""
    try:
        levels = parse_log_levels(text)
    except ValueError:
        return
    named = {levels.default, *(level for _, level in levels.loggers)}
    assert levels.lowest in named <= set(LEVELS)


@given(st.sampled_from(LEVELS), st.dictionaries(st.sampled_from("abc"), st.sampled_from(LEVELS)))
def test_levels_are_read_back(default: str, loggers: dict[str, str]) -> None:
    """The lowest is as low as every one."""
    parts = [default, *(f"{name}={level}" for name, level in loggers.items())]
    levels = parse_log_levels(",".join(parts))

    assert parse_log_levels(str(levels)) == levels
    assert levels == LogLevels(default, tuple(loggers.items()))
    assert all(
        LEVELS.index(levels.lowest) <= LEVELS.index(one) for one in (default, *loggers.values())
    )
