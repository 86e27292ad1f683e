"""The lifecycle in real processes: a first signal lets it finish, a second ends it."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from devstack.processes import Program


@asynccontextmanager
async def service(name: str, *arguments: str) -> AsyncIterator[Program]:
    """One of the services of `service.py`, running."""
    program = Program(name, [sys.executable, "-m", "tests.unit.runtime.service", name, *arguments])
    await program.spawn()
    try:
        yield program
    finally:
        program.kill()
        await program.close()


def send(program: Program, number: signal.Signals) -> None:
    """Send a signal to the process alone."""
    assert program.pid is not None
    os.kill(program.pid, number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_lets_the_service_finish_with_exit_status_0(
    number: signal.Signals,
) -> None:
    """SIGTERM and SIGINT alike."""
    async with service("finishes") as program:
        await program.log.wait_for("^ready$", within_s=30)
        send(program, number)

        assert await program.wait() == 0
        assert program.log.lines[-1] == "finished"
        assert f'"signal": "{number.name}", "event": "stopping"' in program.log.text


async def test_the_second_signal_ends_the_process_at_once() -> None:
    """With an error in the log."""
    async with service("lingers") as program:
        await program.log.wait_for("^ready$", within_s=30)
        send(program, signal.SIGTERM)
        await program.log.wait_for("^stopping$")
        send(program, signal.SIGINT)

        assert await program.wait() == 1
        assert '"reason": "second SIGINT"' in program.log.lines[-1]


async def test_the_deadline_ends_the_process_without_a_second_signal() -> None:
    """However long the service would still take."""
    async with service("lingers", "0.3") as program:
        await program.log.wait_for("^ready$", within_s=30)
        send(program, signal.SIGTERM)

        assert await program.wait() == 1
        assert '"event": "exiting before the stop is complete"' in program.log.lines[-1]


async def test_an_exception_ends_the_process_with_its_traceback_and_status_1() -> None:
    """A supervisor restarts the process."""
    async with service("fails") as program:
        assert await program.wait() == 1
        assert "Traceback" in program.log.lines[-1]
        assert "RuntimeError: a bug of ours" in program.log.lines[-1]


async def test_a_service_that_returns_ends_the_process_with_status_0() -> None:
    """Not every service runs for ever."""
    async with service("ends") as program:
        assert await program.wait() == 0


async def test_a_usage_error_is_a_sentence_and_exit_status_2() -> None:
    """Without a traceback."""
    async with service("usage") as program:
        assert await program.wait() == 2
        assert program.log.lines == ["service: PORT = 'x': no"]
