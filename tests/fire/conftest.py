"""The settings of a fire run, and the report at its end."""

import os
import random
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

import pytest

REPORT: Final = "under fire"
"""Title of the section, and name of the property of a test that holds a line of it.

Properties come from the processes that run tests to the one that prints the report.
"""


def message_count() -> int:
    """Return the number of messages: FIRE_MESSAGES, or 5,000."""
    return int(os.environ.get("FIRE_MESSAGES") or 5000)


@pytest.fixture(scope="session")
def fire_seed(testrun_uid: str) -> int:
    """Return one seed for all tests of a run, in whatever process: FIRE_SEED, or a new one."""
    given = os.environ.get("FIRE_SEED")
    return int(given) if given else random.Random(testrun_uid).randrange(10**6)


@pytest.fixture
def report(
    request: pytest.FixtureRequest,
    fire_seed: int,
    record_property: Callable[[str, object], None],
) -> Iterator[list[str]]:
    """Return the lines printed at the end of the run, whether or not the test fails."""
    lines: list[str] = []
    yield lines
    for line in [f"{request.node.name}, FIRE_SEED={fire_seed}", *lines]:
        record_property(REPORT, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the report."""
    reports = chain.from_iterable(terminalreporter.stats.values())
    lines = [
        value
        for one in reports
        if isinstance(one, pytest.TestReport) and one.when == "teardown"
        for name, value in one.user_properties
        if name == REPORT
    ]
    if lines:
        terminalreporter.section(REPORT)
        for line in lines:
            terminalreporter.write_line(str(line))
