"""Scenarios as end-to-end tests: `simulator check` on the whole live system."""

import asyncio
import os
import sys
from pathlib import Path

import httpx
import pytest

from devstack.stack import Stack
from tests.e2e.conftest import Put
from tests.service_process import WITHIN_S
from tests.waiting import until

COMMAND = Path(sys.executable).parent / "simulator"

pytestmark = pytest.mark.timeout(150)


async def check(stack: Stack, *options: str) -> tuple[int | None, str]:
    """Run a check; return its exit status and its standard output."""
    return await simulator(stack, "check", *options)


async def simulator(stack: Stack, *words: str) -> tuple[int | None, str]:
    """Run a command; return its exit status and its standard output."""
    running = await asyncio.create_subprocess_exec(
        COMMAND,
        *words,
        stdout=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "MQTT_URL": stack.mqtt_url,
            "AZURE_STORAGE_CONNECTION_STRING": stack.connection_string,
            "LOG_FORMAT": "console",
        },
    )
    try:
        async with asyncio.timeout(120):
            output, _ = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    return running.returncode, output.decode()


@pytest.mark.parametrize("target", ["queue", "mqtt"])
async def test_every_gesture_is_received_as_its_state(stack: Stack, target: str) -> None:
    """Through queue and poller, and from pillows that are MQTT clients."""
    status, output = await check(stack, "smoke", "--target", target, "--seed", "7")

    assert status == 0, output
    assert "all 8 expectations hold" in output


async def test_the_dead_letters_are_those_of_the_faulty_messages_sent(stack: Stack) -> None:
    """By reason; other pillows are received as usual."""
    status, output = await check(stack, "hostile-device", "--seed", "7")

    assert status == 0, output


async def test_forty_last_wills_are_published_at_once(stack: Stack) -> None:
    """Of pillows that lose the network together, and reconnect."""
    status, output = await check(stack, "disconnect-storm", "--seed", "7")

    assert status == 0, output


async def test_a_failed_check_prints_every_result_and_the_command_that_repeats_it(
    stack: Stack, tmp_path: Path
) -> None:
    """Exit status 1; each failure says what was seen instead."""
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'about = "x"\nlasts = "3s"\n[[pillows]]\nname = "still"\n'
        '[[expect]]\nstate = "hugging"\n[[expect]]\npoison = 2\n[[expect]]\nseen = 1\n'
    )
    status, output = await check(stack, str(mine), "--grace", "10", "--seed", "9")

    assert status == 1
    assert "✗ * hugging — still-1 was only neutral" in output
    assert "✗ dead letters: 2 — 0" in output
    assert "✓ pillows seen: 1 — 1" in output
    assert "2 of 3 expectations do not hold" in output
    assert "--seed 9" in output
    assert "Traceback" not in output


async def test_a_failed_check_hints_at_a_stopped_poller(stack: Stack, tmp_path: Path) -> None:
    """Messages still wait on the queue."""
    mine = tmp_path / "mine.toml"
    mine.write_text('about = "x"\nlasts = "2s"\n[[pillows]]\nname = "lonely"\n')
    stack.poller.kill()
    await stack.poller.wait()
    try:
        status, output = await check(stack, str(mine), "--grace", "1")
    finally:
        await stack.poller.start()

    assert status == 1
    assert "is the poller running?" in output


async def test_what_waited_on_the_queue_before_a_check_is_not_counted(
    stack: Stack, tmp_path: Path, put: Put
) -> None:
    """Neither a hug of the same pillow nor a dead letter."""
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'about = "x"\nlasts = "2s"\n[[pillows]]\nname = "still"\n'
        '[[expect]]\nstate = "hugging"\n[[expect]]\npoison = 0\n[[expect]]\nseen = 1\n'
    )
    stack.poller.kill()
    await stack.poller.wait()
    await put(pillow="still-1", state="hugging")
    await put("neither JSON nor a word")

    status, output = (await asyncio.gather(check(stack, str(mine)), stack.poller.start()))[0]

    assert status == 1
    assert "✗ * hugging — still-1 was only neutral" in output
    assert "✓ dead letters: 0 — 0" in output
    assert "✓ pillows seen: 1 — 1" in output


async def test_a_cleared_pillow_is_gone_from_the_gateway_with_its_availability(
    stack: Stack,
) -> None:
    """Others stay, and an id that is not there is an error."""

    def known() -> set[str]:
        response = httpx.get(f"{stack.page_url}/api/pillows", timeout=WITHIN_S)
        pillows = response.json()["pillows"]
        return {pillow["pillow"] for pillow in pillows} & {"gone-1", "gone-2", "kept"}

    for pillow in ("gone-1", "gone-2", "kept"):
        status, _ = await simulator(stack, "poke", pillow, "hug", "--target", "mqtt")
        assert status == 0
    await until(lambda: known() == {"gone-1", "gone-2", "kept"}, "all are known")

    status, output = await simulator(stack, "clear", "gone-*", "kep")

    assert (status, output) == (1, "removed gone-1\nremoved gone-2\n")
    await until(lambda: known() == {"kept"}, "the cleared ones are gone")
    assert await simulator(stack, "clear", "gone-1") == (1, "")
    assert await simulator(stack, "clear", "kept") == (0, "removed kept\n")
