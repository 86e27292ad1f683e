"""What a run of the fire tests is given, and what it tells at its end."""

import os
import random

import pytest

REPORTS = pytest.StashKey[list[str]]()


def seed() -> int:
    """The seed of this run: FIRE_SEED, or a new one."""
    given = os.environ.get("FIRE_SEED")
    return int(given) if given else random.SystemRandom().randrange(10**6)


def messages() -> int:
    """How many messages: FIRE_MESSAGES, or 5,000."""
    return int(os.environ.get("FIRE_MESSAGES") or 5000)


@pytest.fixture(scope="session")
def fire_seed() -> int:
    """One seed for all tests of a run."""
    return seed()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> list[str]:
    """Lines to be told at the end of the run, whether the test fails or not."""
    return request.config.stash.setdefault(REPORTS, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Tell what has happened."""
    lines = config.stash.get(REPORTS, [])
    if lines:
        terminalreporter.section("under fire")
        for line in lines:
            terminalreporter.write_line(line)
