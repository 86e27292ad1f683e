"""A queue message reaches the page, MQTT, a WebSocket and an event stream, also after outages."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import websockets
from playwright.async_api import Page, expect

from contract.states import STATES
from devstack.processes import Program
from devstack.stack import Stack
from tests.e2e.conftest import Put
from tests.e2e.sites import web_site
from tests.machine import need_mosquitto

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SHOWN_MS = 40_000
"""Timeout in ms for the whole way, with an outage in it."""


@pytest.fixture
def pillow() -> str:
    """A unique pillow id."""
    return f"p{uuid4().hex[:8]}"


async def shows(page: Page, pillow: str, state: str) -> None:
    """Wait until the page shows a pillow in a state."""
    card = page.locator(f'[data-pillow="{pillow}"]')
    await expect(card).to_have_attribute("data-state", state, timeout=SHOWN_MS)


async def address(gateway: Program) -> str:
    """Return the address that a gateway logs when it starts."""
    listening = await gateway.log.wait_for(r"page=http://\S+")
    return listening.split("page=")[1].split()[0].rstrip("/")


async def connection_is(page: Page, connection: str) -> None:
    """Wait until the page shows a connection status."""
    await expect(page.locator("body")).to_have_attribute(
        "data-connection", connection, timeout=30_000
    )


async def test_every_state_is_shown_with_its_label(
    stack: Stack, put: Put, page: Page, pillow: str
) -> None:
    """One state after another, from the queue to the page."""
    await page.goto(f"{stack.page_url}/?pillow={pillow}")
    await connection_is(page, "live")

    for seq, (state, look) in enumerate(STATES.items()):
        await put(pillow=pillow, state=state, seq=seq)
        await shows(page, pillow, state)
        await expect(page.locator(f'[data-pillow="{pillow}"]')).to_contain_text(look.label)


async def test_mqtt_websocket_sse_and_http_deliver_the_same_bytes(
    stack: Stack, put: Put, pillow: str
) -> None:
    """The JSON that is published on MQTT is never encoded again."""
    need_mosquitto()
    subscriber = await asyncio.create_subprocess_exec(
        "mosquitto_sub", "-p", str(stack.ports.mqtt), "-t", f"pillow/{pillow}/state", "-C", "1",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    url = f"{stack.page_url.replace('http', 'ws')}/ws?pillow={pillow}"
    async with (
        asyncio.timeout(30),
        websockets.connect(url) as socket,
        httpx.AsyncClient(base_url=stack.page_url, timeout=30) as http,
        http.stream("GET", f"/events?pillow={pillow}") as events,
    ):
        assert json.loads(await socket.recv())["type"] == "snapshot"
        lines = (line async for line in events.aiter_lines() if line.startswith("data: "))
        assert json.loads((await anext(lines))[6:])["type"] == "snapshot"

        await put(pillow=pillow, state="hugging", confidence=0.50, note="a  b")

        assert subscriber.stdout is not None
        on_mqtt = (await subscriber.stdout.readline()).decode().rstrip("\n")
        # A heartbeat may come first.
        on_socket = await anext(text async for text in socket if '"type":"update"' in str(text))
        on_events = await anext(line[6:] async for line in lines if '"type":"update"' in line)
        on_http = (await http.get(f"/api/pillows/{pillow}")).text
        await subscriber.wait()

    assert '"note":"a  b"' in on_mqtt
    assert on_mqtt == on_http
    assert f'"pillows":[{on_mqtt}]' in str(on_socket)
    assert f'"pillows":[{on_mqtt}]' in on_events


async def test_a_pillow_that_is_silent_for_expire_after_is_shown_as_not_connected(
    stack: Stack, put: Put, page: Page, pillow: str
) -> None:
    """And as live again with its next message."""
    gateway = stack.another_gateway(
        "gateway-quick", env={"GATEWAY_EXPIRE_AFTER": "12", "INSTANCE": "quick"}
    )
    async with gateway:
        await page.goto(f"{await address(gateway)}/?pillow={pillow}")
        await connection_is(page, "live")
        await put(pillow=pillow, state="spinning")
        await shows(page, pillow, "spinning")

        await shows(page, pillow, "notconnected")

        await put(pillow=pillow, state="neutral", seq=1)
        await shows(page, pillow, "neutral")


async def test_the_page_shows_that_the_broker_is_offline_and_then_the_missed_state(
    stack: Stack, put: Put, page: Page, pillow: str
) -> None:
    """A message of the outage is shown when the broker is back."""
    await page.goto(f"{stack.page_url}/?pillow={pillow}")
    await connection_is(page, "live")

    stack.broker.kill()
    await connection_is(page, "broker-offline")
    await put(pillow=pillow, state="punching")
    await stack.broker.start()

    await connection_is(page, "live")
    await shows(page, pillow, "punching")


async def test_the_page_reconnects_after_the_gateway_was_killed(
    stack: Stack, put: Put, page: Page, pillow: str
) -> None:
    """Without a reload, and it then shows new states."""
    await page.goto(f"{stack.page_url}/?pillow={pillow}")
    await connection_is(page, "live")

    stack.gateway.kill()
    await connection_is(page, "disconnected")
    await stack.gateway.start()

    await connection_is(page, "live")
    await put(pillow=pillow, state="throwing")
    await shows(page, pillow, "throwing")


@pytest.mark.parametrize("part", ["poller", "queue"])
async def test_a_message_is_shown_after_the_poller_or_the_queue_was_killed(
    stack: Stack, put: Put, page: Page, pillow: str, part: str
) -> None:
    """No message is lost."""
    await page.goto(f"{stack.page_url}/?pillow={pillow}")
    await connection_is(page, "live")

    program = getattr(stack, part)
    stack.poller.log.clear()
    program.kill()
    await program.wait()
    if part == "queue":
        await stack.poller.log.wait_for("queue operation failed", within_s=30)
        await program.start()
        await stack.poller.log.wait_for("queue works again.*receive", within_s=60)
        await put(pillow=pillow, state="shaking")
    else:
        await put(pillow=pillow, state="shaking")
        await program.start()

    await shows(page, pillow, "shaking")


@pytest.fixture
def other_site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Serve a folder as another web site; yield its origin and the folder."""
    with web_site(tmp_path) as origin:
        yield origin, tmp_path


async def test_a_cloud_is_embedded_in_a_site_whose_origin_is_allowed(
    stack: Stack, put: Put, page: Page, pillow: str, other_site: tuple[str, Path]
) -> None:
    """With one script tag and one element."""
    origin, folder = other_site
    gateway = stack.another_gateway(
        "gateway-2", env={"GATEWAY_ALLOWED_ORIGINS": origin, "INSTANCE": "second"}
    )
    async with gateway:
        source = await address(gateway)
        folder.joinpath("index.html").write_text(
            f'<script type="module" src="{source}/embed.js"></script>'
            f'<cloud-pillow pillow="{pillow}" src="{source}"></cloud-pillow>'
        )
        await page.goto(origin)
        await put(pillow=pillow, state="hugging")

        await expect(page.locator("cloud-pillow")).to_have_attribute(
            "data-state", "hugging", timeout=SHOWN_MS
        )
