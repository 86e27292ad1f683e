"""The badge's endpoint: headers, caches, what a token permits, and pillows that are not known."""

import time
from collections.abc import AsyncIterator
from xml.etree.ElementTree import fromstring

import httpx
import jwt
import pytest

from gateway.auth.authenticator import Authenticator
from gateway.auth.keys import KeySet, secret_key
from gateway.auth.verifier import TokenRules, TokenVerifier
from gateway.http.app import create_app
from gateway.http.badge import badge_routes
from gateway.http.badge_png import picture
from gateway.http.guard import Guard
from gateway.labels.shown_label import shown_label
from gateway.settings import GatewaySettings
from gateway.transport.access import AccessControl
from gateway.transport.admission import Refusal
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.strategies import update

SECRET = "s" * 32
TITLE = "{http://www.w3.org/2000/svg}title"


class Site:
    """The badges of a gateway, and an HTTP client of it."""

    def __init__(self, access: AccessControl | None = None) -> None:
        self.core = core = GatewayCore(expire_after_ms=30_000)
        core.consumer.on_broker_ready(delivers_retained=True)
        self.refused: list[Refusal] = []
        guard = Guard(access, self.refused.append)
        self.filed: dict[str, str] = {}
        routes = badge_routes(
            core.store,
            core.dispatcher,
            guard,
            lambda pillow: shown_label(core.store.state(pillow), self.filed.get(pillow, "")),
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(GatewaySettings.load(), routes)),
            base_url="http://gateway",
        )

    async def get(self, path: str, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers=given)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    made.core.put(update("cloud-1", state="hugging"))
    async with made.client:
        yield made


@pytest.fixture
async def guarded() -> AsyncIterator[Site]:
    """A gateway that asks for tokens."""
    verifier = TokenVerifier(
        TokenRules(("HS256",), leeway_ms=0),
        lambda: secret_key(SECRET),
        KeySet(),
        lambda _share: False,
        lambda _key_id: False,
    )
    made = Site(AccessControl(Authenticator(verifier, lambda: time.time_ns() // 1_000_000)))
    made.core.put(update("cloud-1"))
    made.core.put(update("ward-1"))
    async with made.client:
        yield made


def title(answer: httpx.Response) -> str | None:
    return fromstring(answer.content).findtext(TITLE)


async def test_a_badge_is_a_picture_that_any_site_may_show_for_seconds(site: Site) -> None:
    """Where a browser shows it by itself, it may run and load nothing."""
    answer = await site.get("/badge/cloud-1.svg", Origin="https://wiki.example")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "public, max-age=5, must-revalidate"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-security-policy"].endswith("; sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers  # to show it is not to read it
    assert title(answer) == "cloud-1: Hugging"


async def test_a_badge_that_did_not_change_is_a_304(site: Site) -> None:
    """One that changed is sent; HEAD has the same headers."""
    first = await site.get("/badge/cloud-1.svg")
    tag = first.headers["etag"]

    again = await site.get("/badge/cloud-1.svg", If_None_Match=f'"other", W/{tag}')
    head = await site.client.head("/badge/cloud-1.svg")
    site.core.put(update("cloud-1", at=1, state="hugging", battery=0.5))
    same = await site.get("/badge/cloud-1.svg", If_None_Match=tag)
    site.core.put(update("cloud-1", at=2, state="punching"))
    changed = await site.get("/badge/cloud-1.svg", If_None_Match=tag)

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["cache-control"] == first.headers["cache-control"]
    assert (head.status_code, head.headers["etag"]) == (200, tag)
    assert head.headers["content-length"] == first.headers["content-length"]
    assert same.status_code == 304
    assert (changed.status_code, title(changed)) == (200, "cloud-1: Punching")


async def test_a_badge_has_the_name_that_people_gave(site: Site) -> None:
    """That of the file, or of the pillow's message; with another name the copy is not current."""
    site.filed["cloud-1"] = "Grandma's cloud"
    answer = await site.get("/badge/cloud-1.svg")
    assert title(answer) == "Grandma's cloud: Hugging"
    site.core.put(update("cloud-1", state="hugging", at=2, label="Küche"))
    again = await site.get("/badge/cloud-1.svg", If_None_Match=answer.headers["etag"])
    assert (again.status_code, title(again)) == (200, "Küche: Hugging")


async def test_a_lost_broker_changes_the_badge(site: Site) -> None:
    """A copy from before is not confirmed."""
    tag = (await site.get("/badge/cloud-1.svg")).headers["etag"]
    site.core.consumer.on_broker_lost()

    answer = await site.get("/badge/cloud-1.svg", If_None_Match=tag)

    assert (answer.status_code, title(answer)) == (200, "cloud-1: Hugging · not live")


@pytest.mark.parametrize(
    "name", ["cloud-9", "bridge", "%23", "%22%3E%3Cscript%3E", "%ff%0d%0a%00", "x" * 3000, "a.svg"]
)
async def test_an_unknown_pillow_is_a_picture_that_says_so(site: Site, name: str) -> None:
    """With the status 404, and for seconds only: it may report soon."""
    answer = await site.get(f"/badge/{name}.svg")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "max-age=5" in answer.headers["cache-control"]
    assert (title(answer) or "").endswith(": Not known")
    assert len(answer.content) < 8_000


@pytest.mark.parametrize("path", ["/badge/", "/badge/cloud-1", "/badge/.svg", "/badge/a/b.svg"])
async def test_any_other_path_is_a_problem_document(site: Site, path: str) -> None:
    """As everywhere."""
    answer = await site.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_badge_is_not_written(site: Site) -> None:
    """Clients only read."""
    assert (await site.client.post("/badge/cloud-1.svg")).status_code == 405


async def test_with_tokens_a_badge_is_for_who_may_see_the_pillow(guarded: Site) -> None:
    """No cache that several share keeps it, and no other site shows it."""
    claims = {"exp": time.time() + 60, "pillows": ["cloud-1"]}
    bearer = f"Bearer {jwt.encode(claims, SECRET, algorithm='HS256')}"

    nobody = await guarded.get("/badge/cloud-1.svg")
    mine = await guarded.get("/badge/cloud-1.svg", Authorization=bearer)
    other = await guarded.get("/badge/ward-1.svg", Authorization=bearer)
    unknown = await guarded.get("/badge/ward-2.svg", Authorization=bearer)

    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert (mine.status_code, title(mine)) == (200, "cloud-1: Hugging")
    assert mine.headers["cache-control"] == "private, max-age=5, must-revalidate"
    assert "Authorization" in mine.headers["vary"]
    assert mine.headers["cross-origin-resource-policy"] == "same-origin"
    assert other.status_code == unknown.status_code == 403
    assert len(guarded.refused) == 3


async def test_a_badge_is_a_png_for_programs_that_show_no_svg(site: Site) -> None:
    """With the caches of the other one; a state that is not live is another picture."""
    live = await site.get("/badge/cloud-1.png", Origin="https://wiki.example")
    again = await site.get("/badge/cloud-1.png", If_None_Match=live.headers["etag"])
    site.core.consumer.on_broker_lost()
    stale = await site.get("/badge/cloud-1.png")
    unknown = await site.get("/badge/cloud-9.png")

    assert live.headers["content-type"] == "image/png"
    assert live.headers["cache-control"] == "public, max-age=5, must-revalidate"
    assert live.headers["cross-origin-resource-policy"] == "cross-origin"
    assert live.content == picture("hugging", is_live=True).body
    assert (again.status_code, again.content) == (304, b"")
    assert stale.content == picture("hugging", is_live=False).body
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "image/png")


async def test_a_png_of_a_pillow_needs_a_token_that_permits_it(guarded: Site) -> None:
    """As every badge."""
    claims = {"exp": int(time.time()) + 60, "pillows": ["ward-*"]}
    bearer = f"Bearer {jwt.encode(claims, SECRET, algorithm='HS256')}"

    assert (await guarded.get("/badge/ward-1.png")).status_code == 401
    assert (await guarded.get("/badge/cloud-1.png", Authorization=bearer)).status_code == 403
    permitted = await guarded.get("/badge/ward-1.png", Authorization=bearer)
    assert permitted.headers["cache-control"].startswith("private")
