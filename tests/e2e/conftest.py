"""A stack of the test module's own, and a real browser."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import msgspec
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from devstack.chromium import FLAGS
from devstack.stack import Stack
from tests.e2e.sites import SHOWN_MS
from tests.machine import need_chromium
from tests.queue_client import queue_client

Put = Callable[..., Awaitable[None]]

# Playwright's own five seconds are short for a busy machine.
expect.set_options(timeout=SHOWN_MS)


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    """Broker, queue, poller and gateway, on free ports."""
    async with Stack() as started:
        yield started


@pytest.fixture
async def put(stack: Stack) -> AsyncIterator[Put]:
    """Put a message on the queue: a text, or the fields of one as keywords."""
    async with AsyncExitStack() as open_clients:
        client = await open_clients.enter_async_context(
            queue_client(stack.connection_string, "pillow-state")
        )

        async def put_message(text: str | None = None, **fields: object) -> None:
            await client.send_message(text or msgspec.json.encode(fields).decode())

        yield put_message


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium, without a window."""
    path = need_chromium()
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        await started.close()


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A visitor's own storage and workers."""
    made = await browser.new_context(viewport={"width": 1000, "height": 800})
    yield made
    await made.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page whose errors fail the test."""
    opened = await browser.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    await opened.close()
    assert faults == []
