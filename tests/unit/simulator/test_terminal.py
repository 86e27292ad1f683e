"""The terminal: when the live table is shown, and which warnings are logged once."""

import logging

import pytest
from rich.console import Console

from simulator import terminal
from simulator.terminal import DuplicateWarningFilter, is_live


def record(level: int, **event: str) -> logging.LogRecord:
    """Return a log record of structlog with these fields."""
    return logging.LogRecord("simulator", level, "", 0, event, None, None)


def refused(pillow: str) -> logging.LogRecord:
    """Return the warning of a pillow's connection, which contains its topic."""
    error = f"refused a publish to pillow/{pillow}/availability"
    return record(logging.WARNING, event="broker lost; reconnecting", pillow=pillow, error=error)


def test_the_same_warning_of_two_pillows_passes_once() -> None:
    """They differ only in the pillow and in its topic."""
    duplicates = DuplicateWarningFilter()

    assert duplicates.filter(refused("cloud-1"))
    assert not duplicates.filter(refused("cloud-2"))


def test_a_warning_passes_again_after_the_broker_was_ready() -> None:
    """It then belongs to another outage."""
    duplicates = DuplicateWarningFilter()
    duplicates.filter(refused("cloud-1"))

    assert duplicates.filter(record(logging.INFO, event="broker ready"))
    assert duplicates.filter(refused("cloud-2"))


def test_errors_of_pillows_always_pass_and_their_infos_never() -> None:
    """Lines without a pillow always pass."""
    duplicates = DuplicateWarningFilter()
    for _ in range(2):
        assert duplicates.filter(record(logging.ERROR, event="e", pillow="cloud-1"))
        assert not duplicates.filter(record(logging.INFO, event="i", pillow="cloud-1"))
        assert duplicates.filter(record(logging.WARNING, event="w"))


@pytest.mark.parametrize("plain", [True, False])
def test_the_table_is_shown_on_a_terminal_unless_plain(
    monkeypatch: pytest.MonkeyPatch, plain: bool
) -> None:
    """Nowhere else."""
    monkeypatch.setattr(terminal, "CONSOLE", Console(force_terminal=True))
    assert is_live("queue", plain=plain) is not plain

    monkeypatch.setattr(terminal, "CONSOLE", Console(force_terminal=False))
    assert not is_live("queue", plain=plain)
