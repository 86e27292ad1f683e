"""Scenarios as end-to-end tests: `simulator check` on the whole live system."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from devstack.stack import Stack

COMMAND = Path(sys.executable).parent / "simulator"

pytestmark = pytest.mark.timeout(150)


async def check(stack: Stack, *options: str) -> tuple[int | None, str]:
    """Run a check; return its exit status and what it said."""
    running = await asyncio.create_subprocess_exec(
        COMMAND,
        *("check", *options),
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "MQTT_URL": stack.mqtt_url,
            "AZURE_STORAGE_CONNECTION_STRING": stack.connection_string,
            "LOG_FORMAT": "console",
        },
    )
    try:
        async with asyncio.timeout(120):
            _, said = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    return running.returncode, said.decode()


@pytest.mark.parametrize("target", ["queue", "mqtt"])
async def test_every_gesture_arrives(stack: Stack, target: str) -> None:
    """By the queue and the poller, or straight from a pillow that speaks MQTT."""
    status, said = await check(stack, "smoke", "--target", target, "--seed", "7")

    assert status == 0, said
    assert "all 8 expectations hold" in said


async def test_dead_letters_are_as_many_as_were_sent(stack: Stack) -> None:
    """By reason; and the device's neighbours are none the worse."""
    status, said = await check(stack, "hostile-device", "--seed", "7")

    assert status == 0, said


async def test_last_wills_are_said(stack: Stack) -> None:
    """Of forty pillows that lose the network in one moment."""
    status, said = await check(stack, "disconnect-storm", "--seed", "7")

    assert status == 0, said


async def test_what_is_not_as_expected_is_said_and_the_rest_too(
    stack: Stack, tmp_path: Path
) -> None:
    """Exit status 1; what was seen instead, and how to see it again."""
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'about = "x"\nlasts = "3s"\n[[pillows]]\nname = "still"\n'
        '[[expect]]\nstate = "hugging"\n[[expect]]\npoison = 2\n[[expect]]\nseen = 1\n'
    )
    status, said = await check(stack, str(mine), "--grace", "2", "--seed", "9")

    assert status == 1
    assert "✗ * hugging — still-1 was only neutral" in said
    assert "✗ dead letters: 2 — 0" in said
    assert "✓ pillows seen: 1 — 1" in said
    assert "2 of 3 expectations do not hold" in said
    assert "--seed 9" in said
    assert "Traceback" not in said


async def test_a_poller_that_is_not_there_is_said(stack: Stack, tmp_path: Path) -> None:
    """It is the likeliest reason."""
    mine = tmp_path / "mine.toml"
    mine.write_text('about = "x"\nlasts = "2s"\n[[pillows]]\nname = "lonely"\n')
    stack.poller.kill()
    await stack.poller.wait()
    try:
        status, said = await check(stack, str(mine), "--grace", "1")
    finally:
        await stack.poller.start()

    assert status == 1
    assert "is the poller running?" in said
