"""When `online` is published again, and how often."""

import asyncio
from itertools import pairwise

from structlog.testing import capture_logs

from runtime.mqtt.own_status import STATUS_EXPIRY_S, OwnStatus
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


@virtual_time
async def test_a_connection_that_ends_at_once_has_no_line_about_its_status() -> None:
    """A broker that stops says `offline` of everybody first; one that goes on is a line."""
    for lasts_s, lines in ((0.5, 0), (2, 1)):
        status = OwnStatus("p/status", lambda: None)
        with capture_logs() as logged:
            status.contradicted()
            await asyncio.sleep(lasts_s)
            status.cancel()
            await asyncio.sleep(5)

        assert len(logged) == lines


@virtual_time
async def test_online_is_published_daily_because_it_expires() -> None:
    """A broker drops the status of a process that is gone, but not of one that lives."""
    at: list[float] = []
    loop = asyncio.get_running_loop()
    status = OwnStatus("p/status", lambda: at.append(loop.time()))
    await asyncio.sleep(STATUS_EXPIRY_S)
    status.cancel()
    await asyncio.sleep(STATUS_EXPIRY_S)

    gaps = [after - before for before, after in pairwise([0.0, *at, float(STATUS_EXPIRY_S)])]
    assert max(gaps) < STATUS_EXPIRY_S / 2
    assert at[-1] <= STATUS_EXPIRY_S
    assert status.repetitions == 0
