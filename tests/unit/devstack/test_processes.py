"""The life of one program."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from devstack.errors import ProgramFailed
from devstack.processes import Log, Program
from tests.waiting import descendants, has_ended, until

ECHO_AND_WAIT = "print('up', flush=True); import time; time.sleep(3600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + ECHO_AND_WAIT
# A child that keeps its parent's output open, as a server's worker does.
WITH_CHILD = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", {ECHO_AND_WAIT!r}])
{ECHO_AND_WAIT}
"""

Make = Callable[..., Program]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes a program of Python code; all of them are gone after the test."""
    made: list[Program] = []

    def program(code: str, **options: object) -> Program:
        made.append(Program("thing", [sys.executable, "-c", code], **options))  # type: ignore[arg-type]
        return made[-1]

    yield program
    for each in made:
        each.kill()
        await each.close()


def up_when_said(program: Program) -> None:
    """Take the program's first line as its readiness."""

    async def ready() -> str | None:
        return None if "up" in program.log.lines else "nothing said yet"

    program._ready = ready


async def test_a_program_is_started_when_it_is_ready(make: Make) -> None:
    program = make(ECHO_AND_WAIT)
    up_when_said(program)

    await program.start()

    assert program.log.lines == ["up"]
    assert program.running


async def test_a_program_that_ends_before_it_is_ready_is_reported_with_its_last_lines(
    make: Make,
) -> None:
    program = make("import sys; print('no such queue'); sys.exit(2)")
    up_when_said(program)

    with pytest.raises(ProgramFailed) as failure:
        await program.start()

    assert str(failure.value) == (
        "thing ended with exit code 2 before it was ready; its last lines:\n    no such queue"
    )


async def test_a_program_that_does_not_get_ready_is_reported_and_stopped(make: Make) -> None:
    async def never() -> str | None:
        return "/readyz answers 503"

    program = make(ECHO_AND_WAIT, ready=never, ready_within_s=0.1)

    with pytest.raises(ProgramFailed, match=r"not ready after 0.1 s: /readyz answers 503"):
        await program.start()

    assert not program.running


async def test_a_program_that_is_not_there_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match="run scripts/setup"):
        await Program("gateway", [tmp_path / "gateway"]).start()


async def test_a_stop_is_a_sigterm(make: Make) -> None:
    program = make(ECHO_AND_WAIT)
    await program.start()

    await program.stop()

    assert program.returncode == -signal.SIGTERM
    assert program.describe_end() == "thing was ended by SIGTERM"
    assert not program.ended_by_itself


async def test_a_program_that_ignores_sigterm_is_killed_at_the_deadline(make: Make) -> None:
    program = make(DEAF, stop_within_s=0.2)
    await program.start()
    await program.log.wait_for("up")

    await program.stop()

    assert program.returncode == -signal.SIGKILL
    assert "did not end within 0.2 s" in program.log.lines[-1]


async def test_a_paused_program_is_stopped_all_the_same(make: Make) -> None:
    program = make(ECHO_AND_WAIT)
    await program.start()
    program.pause()

    await program.stop()

    assert program.returncode == -signal.SIGTERM


async def test_what_a_program_has_started_ends_with_it(make: Make) -> None:
    program = make(WITH_CHILD)
    await program.start()
    await program.log.wait_for("up")
    assert program.pid is not None
    await until(lambda: program.log.lines == ["up", "up"], "parent and child are up")
    (child,) = descendants(program.pid)

    program.terminate()
    await program.wait()

    await until(lambda: has_ended(child), "the child has ended")


async def test_a_program_can_be_started_again_and_keeps_its_log(make: Make) -> None:
    program = make(ECHO_AND_WAIT)
    await program.start()
    await program.log.wait_for("up")
    first = program.pid
    program.kill()

    await program.start()

    await until(lambda: program.log.lines == ["up", "up"], "it has said so twice")
    assert program.pid != first


async def test_a_running_program_is_not_started_twice(make: Make) -> None:
    program = make(ECHO_AND_WAIT)
    await program.start()

    with pytest.raises(RuntimeError, match="already running"):
        await program.start()


async def test_an_end_nobody_asked_for_is_known_as_one(make: Make) -> None:
    program = make("raise SystemExit(3)")
    await program.spawn()

    assert await program.wait() == 3
    assert program.ended_by_itself


async def test_the_environment_is_added_to_and_taken_from(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAKEN", "here")
    program = make(
        "import os; print(os.environ.get('GIVEN'), os.environ.get('TAKEN'))",
        env={"GIVEN": "yes", "TAKEN": None},
    )
    await program.spawn()
    await program.wait()

    assert program.log.lines == ["yes None"]


async def test_each_line_is_shown_whole_whatever_it_is(make: Make) -> None:
    shown: list[tuple[str, str]] = []
    program = make(
        "import sys; sys.stdout.buffer.write(b'x' * 200_000 + b'\\n\\xff\\r\\nlast')",
        show=lambda name, line: shown.append((name, line)),
    )
    await program.spawn()
    await program.wait()

    assert shown == [("thing", "x" * 200_000), ("thing", "\ufffd"), ("thing", "last")]


async def test_a_log_is_waited_for() -> None:
    log = Log()
    waiting = asyncio.create_task(log.wait_for("po+ller"))
    await asyncio.sleep(0)
    log.append("gateway up")
    log.append("pooller up")

    assert await waiting == "pooller up"


async def test_a_line_that_does_not_come_fails_with_those_that_did() -> None:
    log = Log()
    log.append("only this")

    with pytest.raises(TimeoutError, match="only this"):
        await log.wait_for("that", within_s=0.01)
