"""Browsers that the gateway asks report when they showed a state: a program, and the page."""

import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from devstack.broker import Broker
from tests.e2e.sites import SHOWN_MS, LiveSite
from tests.gateway import Gateway, connect_publisher, state
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """A gateway that asks everybody."""
    prefix = f"t{uuid4().hex[:12]}"
    gateway = Gateway(broker, prefix, GATEWAY_SHOWN_SAMPLE="1")
    async with gateway, connect_publisher(broker, prefix) as publisher:
        yield LiveSite(gateway, publisher)
        gateway.assert_log_is_clean()


def queued_now(pillow: str, name: str) -> bytes:
    """Return a state that is on the queue now."""
    now_ms = time.time_ns() // 1_000_000
    hops = {"queued": now_ms, "polled": now_ms, "published": now_ms}
    return state(pillow, name, hops=hops)


async def test_a_report_is_counted_if_its_times_can_be_right(site: LiveSite) -> None:
    """Hostile times change nothing, and end no connection."""
    async with site.gateway.connect() as client, site.gateway.connect() as other:
        assert (await client.receive())["shown"] == 1
        # The third of one client in a second would be above its limit.
        await site.publisher.publish(queued_now("cloud-1", "hugging"))
        update = await client.receive_until(lambda frame: frame["type"] == "update")
        queued = update["pillows"][0]["hops"]["queued"]
        for one, shown in ((client, 0), (client, update["sent"] + 20), (other, 2**53 - 1)):
            report = {"type": "shown", "pillow": "cloud-1", "shown": shown, "queued": queued}
            await one.send(report)
        for one in (client, other):
            await one.send({"type": "ping", "sent": 1})
            await one.receive_until(lambda frame: frame["type"] == "pong")

    await site.gateway.wait_for_metric('shown_reports_total{outcome="implausible"}', 2)
    await site.gateway.wait_for_metric('shown_reports_total{outcome="counted"}', 1)


@pytest.mark.browser
async def test_the_page_reports_what_it_has_painted(site: LiveSite, page: Page) -> None:
    """A change that arrives while it is open; the snapshot is no change."""
    counted = await site.gateway.metric("queued_to_shown_seconds_count")
    await page.goto(site.url)
    await site.publisher.publish(queued_now("cloud-2", "neutral"))
    card = page.locator('.card[data-pillow="cloud-2"]')
    await expect(card).to_be_visible(timeout=SHOWN_MS)
    # The first report may be of either state; at most one a second is sent.
    await site.publisher.publish(queued_now("cloud-2", "spinning"))
    await expect(card).to_have_attribute("data-state", "spinning", timeout=SHOWN_MS)

    async def is_reported() -> bool:
        # Both where more than a second has passed between them.
        value = await site.gateway.metric("queued_to_shown_seconds_count")
        return counted + 1 <= value <= counted + 2

    await eventually(is_reported, "a report")
