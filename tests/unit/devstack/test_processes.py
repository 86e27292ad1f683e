"""A program is started, stopped, killed and started again, and leaves no process behind."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from devstack.errors import ProgramFailed
from devstack.output import OutputLog
from devstack.processes import Program, Timeouts
from tests.waiting import descendants, has_ended, until

ECHO_AND_WAIT = "print('up', flush=True); import time; time.sleep(3600)"
IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + ECHO_AND_WAIT
# A child that keeps its parent's output open, as the worker process of a server does.
WITH_CHILD = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", {ECHO_AND_WAIT!r}])
{ECHO_AND_WAIT}
"""

Make = Callable[..., Program]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes programs of Python code, which are killed after the test."""
    made: list[Program] = []

    def program(code: str, **options: object) -> Program:
        made.append(Program("thing", [sys.executable, "-c", code], **options))  # type: ignore[arg-type]
        return made[-1]

    yield program
    for each in made:
        each.kill()
        await each.close()


def ready_when_up_is_printed(program: Program) -> None:
    """Let the program be ready when it has printed "up"."""

    async def ready() -> str | None:
        return None if "up" in program.log.lines else "nothing printed yet"

    program._ready = ready


async def test_start_returns_when_the_program_is_ready(make: Make) -> None:
    program = make(ECHO_AND_WAIT)
    ready_when_up_is_printed(program)

    await program.start()

    assert program.log.lines == ["up"]
    assert program.running


async def test_an_end_before_readiness_fails_the_start_with_the_last_lines(
    make: Make,
) -> None:
    program = make("import sys; print('no such queue'); sys.exit(2)")
    ready_when_up_is_printed(program)

    with pytest.raises(ProgramFailed) as failure:
        await program.start()

    assert str(failure.value) == (
        "thing ended with exit code 2 before it was ready; its last lines:\n    no such queue"
    )


async def test_a_program_that_is_not_ready_in_time_fails_the_start_and_is_killed(
    make: Make,
) -> None:
    async def never() -> str | None:
        return "/readyz answers 503"

    program = make(ECHO_AND_WAIT, ready=never, timeouts=Timeouts(ready_s=0.1))

    with pytest.raises(ProgramFailed, match=r"not ready after 0.1 s: /readyz answers 503"):
        await program.start()

    assert not program.running


async def test_a_missing_program_fails_with_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match="run scripts/setup"):
        await Program("gateway", [tmp_path / "gateway"]).start()


async def test_stop_sends_sigterm(make: Make) -> None:
    program = make(ECHO_AND_WAIT)
    await program.start()

    await program.stop()

    assert program.returncode == -signal.SIGTERM
    assert program.describe_end() == "thing was ended by SIGTERM"
    assert not program.ended_by_itself


async def test_a_program_that_ignores_sigterm_is_killed_at_the_deadline(make: Make) -> None:
    program = make(IGNORES_SIGTERM, timeouts=Timeouts(stop_s=0.2))
    await program.start()
    await program.log.wait_for("up")

    await program.stop()

    assert program.returncode == -signal.SIGKILL
    assert "did not end within 0.2 s" in program.log.lines[-1]


async def test_stop_ends_a_paused_program(make: Make) -> None:
    program = make(ECHO_AND_WAIT)
    await program.start()
    program.pause()

    await program.stop()

    assert program.returncode == -signal.SIGTERM


async def test_the_children_of_a_program_end_with_it(make: Make) -> None:
    program = make(WITH_CHILD)
    await program.start()
    await program.log.wait_for("up")
    assert program.pid is not None
    await until(lambda: program.log.lines == ["up", "up"], "parent and child are up")
    (child,) = descendants(program.pid)

    program.terminate()
    await program.wait()

    await until(lambda: has_ended(child), "the child has ended")


async def test_a_restarted_program_keeps_its_log(make: Make) -> None:
    program = make(ECHO_AND_WAIT)
    await program.start()
    await program.log.wait_for("up")
    first = program.pid
    program.kill()

    await program.start()

    await until(lambda: program.log.lines == ["up", "up"], "it has printed twice")
    assert program.pid != first


async def test_starting_a_running_program_is_an_error(make: Make) -> None:
    program = make(ECHO_AND_WAIT)
    await program.start()

    with pytest.raises(RuntimeError, match="already running"):
        await program.start()


async def test_an_end_without_a_signal_from_here_is_ended_by_itself(make: Make) -> None:
    program = make("raise SystemExit(3)")
    await program.spawn()

    assert await program.wait() == 3
    assert program.ended_by_itself


async def test_env_adds_variables_and_none_removes_one(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMOVED", "here")
    program = make(
        "import os; print(os.environ.get('ADDED'), os.environ.get('REMOVED'))",
        env={"ADDED": "yes", "REMOVED": None},
    )
    await program.spawn()
    await program.wait()

    assert program.log.lines == ["yes None"]


async def test_long_lines_and_invalid_utf8_are_shown(make: Make) -> None:
    shown: list[tuple[str, str]] = []
    program = make(
        "import sys; sys.stdout.buffer.write(b'x' * 200_000 + b'\\n\\xff\\r\\nlast')",
        show=lambda name, line: shown.append((name, line)),
    )
    await program.spawn()
    await program.wait()

    assert shown == [("thing", "x" * 200_000), ("thing", "\ufffd"), ("thing", "last")]


async def test_wait_for_returns_the_first_line_that_matches() -> None:
    log = OutputLog()
    waiting = asyncio.create_task(log.wait_for("po+ller"))
    await asyncio.sleep(0)
    log.append("gateway up")
    log.append("pooller up")

    assert await waiting == "pooller up"


async def test_wait_for_fails_after_its_deadline_with_the_lines_so_far() -> None:
    log = OutputLog()
    log.append("only this")

    with pytest.raises(TimeoutError, match="only this"):
        await log.wait_for("that", within_s=0.01)
