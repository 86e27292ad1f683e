"""A message put on the queue is on the page, on MQTT, on a WebSocket and on an event stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import httpx
import pytest
import websockets
from playwright.async_api import Page, expect

from contract.states import STATES
from devstack.processes import Program
from devstack.stack import Stack
from tests.e2e.conftest import Put
from tests.machine import need_mosquitto

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SHOWN_MS = 10_000


@pytest.fixture
def pillow() -> str:
    """A pillow that no other test has."""
    return f"p{uuid4().hex[:8]}"


async def shows(page: Page, pillow: str, state: str) -> None:
    """Wait until the page shows a pillow in a state."""
    card = page.locator(f'[data-pillow="{pillow}"]')
    await expect(card).to_have_attribute("data-state", state, timeout=SHOWN_MS)


async def address(gateway: Program) -> str:
    """Return the address that a gateway says it listens on."""
    listening = await gateway.log.wait_for(r"page=http://\S+")
    return listening.split("page=")[1].split()[0].rstrip("/")


async def connection_is(page: Page, connection: str) -> None:
    """Wait until the page says how it is connected."""
    await expect(page.locator("body")).to_have_attribute(
        "data-connection", connection, timeout=30_000
    )


async def test_every_state_reaches_the_page(
    stack: Stack, put: Put, page: Page, pillow: str
) -> None:
    """Each state a pillow sends is shown, with its label, one after another."""
    await page.goto(f"{stack.page_url}/?pillow={pillow}")
    await connection_is(page, "live")

    for seq, (state, look) in enumerate(STATES.items()):
        await put(pillow=pillow, state=state, seq=seq)
        await shows(page, pillow, state)
        await expect(page.locator(f'[data-pillow="{pillow}"]')).to_contain_text(look.label)


async def test_one_message_is_seen_by_clients_of_every_kind(
    stack: Stack, put: Put, pillow: str
) -> None:
    """MQTT, WebSocket, events and HTTP all give the same bytes of the state."""
    need_mosquitto()
    subscriber = await asyncio.create_subprocess_exec(
        "mosquitto_sub", "-p", str(stack.ports.mqtt), "-t", f"pillow/{pillow}/state", "-C", "1",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    url = f"{stack.page_url.replace('http', 'ws')}/ws?pillow={pillow}"
    async with (
        asyncio.timeout(30),
        websockets.connect(url) as socket,
        httpx.AsyncClient(base_url=stack.page_url) as http,
        http.stream("GET", f"/events?pillow={pillow}") as events,
    ):
        assert json.loads(await socket.recv())["type"] == "snapshot"
        lines = (line async for line in events.aiter_lines() if line.startswith("data: "))
        assert json.loads((await anext(lines))[6:])["type"] == "snapshot"

        await put(pillow=pillow, state="hugging", confidence=0.50, note="a  b")

        assert subscriber.stdout is not None
        on_mqtt = (await subscriber.stdout.readline()).decode().rstrip("\n")
        on_socket = await socket.recv()
        on_events = (await anext(lines))[6:]
        on_http = (await http.get(f"/api/pillows/{pillow}")).text
        await subscriber.wait()

    assert '"note":"a  b"' in on_mqtt
    assert on_mqtt == on_http
    assert f'"pillows":[{on_mqtt}]' in on_socket
    assert f'"pillows":[{on_mqtt}]' in on_events


async def test_a_silent_pillow_is_shown_as_not_connected(
    stack: Stack, put: Put, page: Page, pillow: str
) -> None:
    """Nothing is shown as live for longer than it is."""
    gateway = stack.another_gateway(
        "gateway-quick", env={"GATEWAY_EXPIRE_AFTER": "4", "INSTANCE": "quick"}
    )
    async with gateway:
        await page.goto(f"{await address(gateway)}/?pillow={pillow}")
        await connection_is(page, "live")
        await put(pillow=pillow, state="spinning")
        await shows(page, pillow, "spinning")

        await shows(page, pillow, "notconnected")

        await put(pillow=pillow, state="neutral", seq=1)
        await shows(page, pillow, "neutral")


async def test_the_page_says_when_the_broker_is_gone_and_when_it_is_back(
    stack: Stack, put: Put, page: Page, pillow: str
) -> None:
    """What cannot be live is marked, and what came meanwhile arrives."""
    await page.goto(f"{stack.page_url}/?pillow={pillow}")
    await connection_is(page, "live")

    stack.broker.kill()
    await connection_is(page, "broker-offline")
    await put(pillow=pillow, state="punching")
    await stack.broker.start()

    await connection_is(page, "live")
    await shows(page, pillow, "punching")


async def test_the_page_comes_back_by_itself_after_the_gateway(
    stack: Stack, put: Put, page: Page, pillow: str
) -> None:
    """A page left open reconnects and shows what is true then."""
    await page.goto(f"{stack.page_url}/?pillow={pillow}")
    await connection_is(page, "live")

    stack.gateway.kill()
    await connection_is(page, "disconnected")
    await stack.gateway.start()

    await connection_is(page, "live")
    await put(pillow=pillow, state="throwing")
    await shows(page, pillow, "throwing")


@pytest.mark.parametrize("part", ["poller", "queue"])
async def test_what_is_put_while_a_part_is_away_arrives_when_it_is_back(
    stack: Stack, put: Put, page: Page, pillow: str, part: str
) -> None:
    """A killed process costs time, not messages."""
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
async def other_site(tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """Another web site, on a port of its own: its address, and the folder it serves."""

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", tmp_path
    server.shutdown()
    server.server_close()


async def test_a_cloud_can_be_embedded_in_another_site(
    stack: Stack, put: Put, page: Page, pillow: str, other_site: tuple[str, Path]
) -> None:
    """One script tag and one element show a live cloud, where the gateway allows the origin."""
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
