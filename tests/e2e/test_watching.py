"""A client that connects wakes the poller: what is put on an idle queue then arrives at once."""

import asyncio
import json
import statistics
import time
from uuid import uuid4

import httpx
import pytest
import websockets
from playwright.async_api import Page, expect

from devstack.stack import Stack
from tests.e2e.conftest import Put
from tests.e2e.sites import wait_connected
from tests.metrics import sample
from tests.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

LATE_S = 0.5
"""From the queue to a client, on a queue that is watched."""


async def metric(stack: Stack, name: str) -> float:
    """Return a sample of the poller's metrics; NaN where there is none."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        text = (await http.get(f"{stack.poller_url}/metrics")).text
    return sample(text, f"pillowcast_poller_{name}")


async def asleep(stack: Stack) -> None:
    """Wait until the poller knows that nobody looks, and has not polled for two seconds."""
    found, since_s = -1.0, 0.0

    async def is_asleep() -> bool:
        nonlocal found, since_s
        polls = await metric(stack, 'polls_total{found="nothing"}')
        if polls != found:
            found, since_s = polls, time.monotonic()
        return await metric(stack, "watching") == 0 and time.monotonic() - since_s > 2

    await eventually(is_asleep, "a poller that sleeps", within_s=60)


async def test_a_message_on_an_idle_queue_reaches_a_client_within_half_a_second(
    stack: Stack, put: Put
) -> None:
    """The first one too, although the poller had slept until the client came."""
    pillow = f"w{uuid4().hex[:8]}"
    await asleep(stack)
    async with websockets.connect(
        f"{stack.page_url.replace('http', 'ws')}/ws?pillow={pillow}", proxy=None
    ) as client:
        assert json.loads(await client.recv())["watching"] == 1
        took_s = []
        for seq in range(9):
            await asyncio.sleep(0.0137 * seq)  # at another moment between two polls
            put_s = time.monotonic()
            await put(pillow=pillow, state="hugging", seq=seq)
            async with asyncio.timeout(20):
                while json.loads(await client.recv())["type"] != "update":
                    pass
            took_s.append(time.monotonic() - put_s)

    assert statistics.median(took_s) < LATE_S, took_s
    assert took_s[0] < 4, "the first message waited for the poll of a queue that nobody watches"


async def test_a_page_that_opens_is_seen_by_the_poller_and_one_that_closes_too(
    stack: Stack, put: Put, page: Page
) -> None:
    """In a browser; without it polls become few."""
    pillow = f"w{uuid4().hex[:8]}"
    await page.goto(f"{stack.page_url}/?pillow={pillow}")
    await wait_connected(page)

    async def is_watched() -> bool:
        return await metric(stack, "watching") == 1

    await eventually(is_watched, "watched")
    await put(pillow=pillow, state="spinning")
    card = page.locator(f'[data-pillow="{pillow}"]')
    await expect(card).to_have_attribute("data-state", "spinning", timeout=10_000)
    await page.goto("about:blank")
    await asleep(stack)
