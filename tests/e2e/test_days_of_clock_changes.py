"""Days on which clocks are set, as the page and the gateway tell them, in Chromium in Berlin."""

from dataclasses import dataclass
from uuid import uuid4

import pytest
from playwright.async_api import Browser, expect

from devstack.broker import Broker
from tests.e2e.sites import SHOWN_MS
from tests.gateway import Gateway, connect_publisher, state
from tests.machine import need_faketime
from tests.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

ZONE = "Europe/Berlin"
CELLS = """(rows) => [...rows[rows.length - 1].querySelectorAll('.heat-cell')].map(
  ({dataset, textContent}) => dataset.kind === 'hugged' ? textContent : dataset.kind)"""
"""Of the last day: how many hugs each hour had, or what it was."""


@dataclass(frozen=True)
class ClockChange:
    """A day: an instant of it, when it begins and when hugs began, in UTC; and what hours show."""

    now: str
    midnight: str
    hugs: tuple[str, ...]
    hours: dict[int, str]


BACK = ClockChange(
    "2026-10-25 20:00:00",
    "2026-10-24T22:00:00.000Z",
    # 0:30 in summer time, 2:30 in summer time, and 2:30 again.
    ("2026-10-24T22:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
    {0: "1", 2: "2", 3: "unheard", 23: "ahead"},
)
FORWARD = ClockChange(
    "2027-03-28 20:00:00",
    "2027-03-27T23:00:00.000Z",
    # 0:30, 1:30, and 3:30 in summer time, an hour later.
    ("2027-03-27T23:30:00Z", "2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"),
    {0: "1", 1: "1", 2: "missing", 3: "1", 23: "ahead"},
)


@pytest.mark.parametrize("change", [BACK, FORWARD], ids=["25 hours", "23 hours"])
async def test_a_day_of_a_clock_change_has_all_of_its_hugs_each_in_its_hour(
    broker: Broker, browser: Browser, change: ClockChange
) -> None:
    """The first one belongs to the day before in UTC. The gateway's clock is that of the day."""
    prefix = f"t{uuid4().hex[:12]}"
    gateway = Gateway(
        broker,
        prefix,
        GATEWAY_EXPIRE_AFTER="86400",
        TZ="UTC",
        LD_PRELOAD=need_faketime(),
        FAKETIME=f"@{change.now}",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    async with gateway, connect_publisher(broker, prefix) as publisher:
        for at in change.hugs:
            await publisher.publish(state("cloud-1", "hugging", at=at))

        async def has_all_hugs() -> bool:
            found = (await gateway.get(f"/api/today?tz={ZONE}")).json()["pillows"]
            return bool(found.get("cloud-1", {}).get("hugs") == len(change.hugs))

        # The page does not ask again for a day that it has.
        await eventually(has_all_hugs, "all hugs at the gateway")
        page = await browser.new_page(timezone_id=ZONE, locale="en-GB")
        await page.goto(f"{gateway.url}/#cloud-1")
        await expect(page.locator("#hug-count")).to_have_text("3", timeout=SHOWN_MS)
        rows = page.locator(".heat-row:not(.heat-head)")
        await expect(rows).to_have_count(7, timeout=SHOWN_MS)
        await expect(rows.last.locator('.heat-cell[data-kind="hugged"]')).not_to_have_count(0)
        cells = await rows.evaluate_all(CELLS)
        summary = (await gateway.get(f"/api/pillows/cloud-1/summary?days=1&tz={ZONE}")).json()
        today = (await gateway.get(f"/api/today?tz={ZONE}")).json()
        await page.close()

    assert len(cells) == 24
    assert {hour: cells[hour] for hour in change.hours} == change.hours
    assert today["pillows"]["cloud-1"]["hugs"] == 3
    (day,) = summary["days"]
    assert day["from"] == change.midnight
    assert day["states"]["hugging"]["episodes"] == 3
