"""The settings of a fire run, and the report at its end."""

import os
import random

import pytest

REPORTS = pytest.StashKey[list[str]]()


def seed() -> int:
    """Return the seed of this run: FIRE_SEED, or a new one."""
    given = os.environ.get("FIRE_SEED")
    return int(given) if given else random.SystemRandom().randrange(10**6)


def message_count() -> int:
    """Return the number of messages: FIRE_MESSAGES, or 5,000."""
    return int(os.environ.get("FIRE_MESSAGES") or 5000)


@pytest.fixture(scope="session")
def fire_seed() -> int:
    """Return one seed for all tests of a run."""
    return seed()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> list[str]:
    """Return the lines printed at the end of the run, whether or not the test fails."""
    return request.config.stash.setdefault(REPORTS, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the report."""
    lines = config.stash.get(REPORTS, [])
    if lines:
        terminalreporter.section("under fire")
        for line in lines:
            terminalreporter.write_line(line)
