"""A share link in a real browser: the page with a token, without one, and when it is revoked."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest
from playwright.async_api import Page, expect

from devstack.broker import Broker
from gateway.auth.scope import Scope
from gateway.auth.shares import make_share
from tests.e2e.sites import SHOWN_MS, web_site
from tests.gateway import Gateway, Publisher, connect_publisher, state

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

SECRET, SHARE_KEY, SHARE_ID = "s" * 32, "k" * 32, "0123456789abcdef"


@pytest.fixture(scope="module")
async def private(broker: Broker) -> AsyncIterator[tuple[Gateway, Publisher]]:
    """A gateway that asks for tokens, with three pillows."""
    gateway = Gateway(
        broker,
        "shared",
        GATEWAY_AUTH="jwt",
        GATEWAY_JWT_SECRET=SECRET,
        GATEWAY_SHARE_KEY=SHARE_KEY,
        GATEWAY_ALLOWED_ORIGINS="*",
        GATEWAY_EXPIRE_AFTER="86400",
    )
    async with gateway, connect_publisher(broker, "shared") as publisher:
        await publisher.publish_all([state(one) for one in ("cloud-1", "ward-1", "ward-2")])
        yield gateway, publisher


async def run(gateway: Gateway, *words: str) -> str:
    """Run a command with the settings of the gateway; return its output."""
    out, err, status = await gateway.run_command(*words)
    assert status == 0, err
    return out


def link(gateway: Gateway, *ids: str, prefixes: tuple[str, ...] = ()) -> str:
    """Return the address of a share link."""
    scope = Scope(frozenset(ids), prefixes)
    share = make_share(SHARE_ID, scope, SHARE_KEY, now_s=int(time.time()), lasts_s=3600)
    return f"{gateway.url}/#token={share.token}"


async def test_without_a_token_the_page_says_so_at_once(
    private: tuple[Gateway, Publisher], page: Page
) -> None:
    """And shows no cloud."""
    gateway, _ = private
    await page.goto(gateway.url)
    await expect(page.locator("#empty-title")).to_have_text("This sky is private", timeout=SHOWN_MS)
    await expect(page.locator("#status-title")).to_have_text("Private")
    assert await page.locator("#clouds > *").count() == 0


async def test_a_link_shows_its_pillows_only_and_leaves_the_address(
    private: tuple[Gateway, Publisher], page: Page
) -> None:
    """Also after a reload, because the tab keeps the token."""
    gateway, _ = private
    await page.goto(link(gateway, prefixes=("ward-",)))
    for _ in range(2):
        await expect(page.locator("#clouds > *")).to_have_count(2, timeout=SHOWN_MS)
        assert page.url == f"{gateway.url}/"
        await page.reload()


async def test_a_link_to_one_pillow_opens_its_view_until_it_is_revoked(
    private: tuple[Gateway, Publisher], page: Page
) -> None:
    """The page then says why it shows nothing new."""
    gateway, publisher = private
    made = await run(gateway, "share", "cloud-1", "--for", "7d")
    token = made.strip().partition("#token=")[2]
    share_id = jwt.decode(token, options={"verify_signature": False})["jti"]
    await page.goto(f"{gateway.url}/#token={token}")
    await expect(page.locator("#status-title")).to_have_text("Live", timeout=SHOWN_MS)
    assert page.url == f"{gateway.url}/#cloud-1"
    await publisher.publish(state("cloud-1", "punching"))
    await expect(page.locator("body")).to_contain_text("unching", timeout=SHOWN_MS)

    await run(gateway, "unshare", share_id)
    await expect(page.locator("#status-title")).to_have_text("Private", timeout=SHOWN_MS)
    await expect(page.locator("#status-detail")).to_contain_text("revoked")


async def test_the_element_takes_a_token(
    private: tuple[Gateway, Publisher], page: Page, tmp_path: Path
) -> None:
    """As an attribute."""
    gateway, _ = private
    claims = {"exp": time.time() + 600, "pillows": ["ward-1"]}
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    (tmp_path / "index.html").write_text(
        f'<!doctype html><script type="module" src="{gateway.url}/embed.js"></script>'
        f'<cloud-pillow pillow="ward-1" src="{gateway.url}" token="{token}"></cloud-pillow>',
        encoding="utf-8",
    )
    with web_site(tmp_path) as origin:
        await page.goto(origin)
        await expect(page.locator("cloud-pillow")).to_have_attribute(
            "data-state", "hugging", timeout=SHOWN_MS
        )
