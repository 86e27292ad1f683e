"""A process's life, in real processes: asked once it finishes, asked twice it leaves."""

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
async def test_asked_once_it_finishes_what_is_in_hand(number: signal.Signals) -> None:
    """And its exit status says that all went well."""
    async with service("finishes") as program:
        await program.log.wait_for("^ready$", within_s=30)
        send(program, number)

        assert await program.wait() == 0
        assert program.log.lines[-1] == "finished"
        assert f'"signal": "{number.name}", "event": "stopping"' in program.log.text


async def test_asked_twice_it_leaves_at_once() -> None:
    """Whatever it is still about, and says so."""
    async with service("lingers") as program:
        await program.log.wait_for("^ready$", within_s=30)
        send(program, signal.SIGTERM)
        await program.log.wait_for("^asked$")
        send(program, signal.SIGINT)

        assert await program.wait() == 1
        assert '"reason": "second SIGINT"' in program.log.lines[-1]


async def test_at_the_deadline_it_leaves_without_being_asked_again() -> None:
    """A stop has an end, however long the rest would take."""
    async with service("lingers", "0.3") as program:
        await program.log.wait_for("^ready$", within_s=30)
        send(program, signal.SIGTERM)

        assert await program.wait() == 1
        assert '"event": "exiting before the stop is complete"' in program.log.lines[-1]


async def test_a_bug_ends_it_with_its_traceback() -> None:
    """Whoever supervises it starts it again."""
    async with service("fails") as program:
        assert await program.wait() == 1
        assert program.log.lines[-1] == "RuntimeError: a bug of ours"


async def test_what_ends_by_itself_has_ended_well() -> None:
    """Not every service runs for ever."""
    async with service("ends") as program:
        assert await program.wait() == 0


async def test_what_cannot_start_says_why_and_exits_with_2() -> None:
    """A sentence, no traceback."""
    async with service("usage") as program:
        assert await program.wait() == 2
        assert program.log.lines == ["service: PORT = 'x': no"]
