"""Work until a stop."""

import asyncio

import pytest

from runtime.mqtt.stopping import Stopped, until_stopped


async def test_a_stop_cancels_the_work() -> None:
    """And waits for its end."""
    stopping, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    asyncio.get_running_loop().call_soon(stopping.set)
    with pytest.raises(Stopped):
        await until_stopped(stopping, work())
    assert ended.is_set()


async def test_an_error_of_the_work_is_raised() -> None:
    """As it is."""

    async def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await until_stopped(asyncio.Event(), work())
