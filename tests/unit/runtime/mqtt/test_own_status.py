"""When `online` is published again, and how often."""

import asyncio
from itertools import pairwise

from runtime.mqtt.own_status import OwnStatus
from tests.fakes.virtual_time import virtual_time


@virtual_time
async def test_a_status_that_stays_contrary_is_repeated_ever_more_slowly() -> None:
    """A second process with the same name may go on publishing `offline`."""
    loop = asyncio.get_running_loop()
    at: list[float] = []
    status = OwnStatus("p/status", lambda: at.append(loop.time()))
    for _ in range(1000):
        status.contradicted()
        await asyncio.sleep(0.5)
    status.cancel()
    gaps = [after - before for before, after in pairwise(at)]

    assert at[0] == 0
    assert gaps[0] >= 1
    assert gaps == sorted(gaps)
    assert 60 <= gaps[-1] <= 62


@virtual_time
async def test_nothing_is_published_after_the_end_of_the_connection() -> None:
    """A repetition that was due is cancelled."""
    at: list[str] = []
    status = OwnStatus("p/status", lambda: at.append("online"))
    status.contradicted()
    status.cancel()
    await asyncio.sleep(1)

    assert at == []
