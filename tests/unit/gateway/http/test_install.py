"""What installs the page on a phone: the manifest, the icons, and the service worker."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.http.app import STATIC, create_app
from gateway.http.csp import SCRIPT_URL_POLICY, page_policy
from gateway.http.texts import read_texts
from gateway.settings import GatewaySettings

ICONS = json.loads((STATIC / "manifest.webmanifest").read_text(encoding="utf-8"))["icons"]


def client_of(**settings: object) -> httpx.AsyncClient:
    app = create_app(GatewaySettings.load(**settings), [])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://clouds.example")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of() as made:
        yield made


def png_size(picture: bytes) -> str:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))
    return f"{width}x{height}"


async def test_the_manifest_is_beside_the_page_which_refers_to_it(
    client: httpx.AsyncClient,
) -> None:
    """Below a path as well, its addresses are relative to its own."""
    page, answer = (await client.get("/")).text, await client.get("/manifest.webmanifest")

    assert '<link rel="manifest" href="./manifest.webmanifest">' in page
    assert answer.headers["content-type"] == "application/manifest+json"
    manifest = answer.json()
    assert {manifest[key] for key in ("id", "scope", "start_url")} == {"./"}
    assert manifest["display"] == "standalone"


async def test_the_manifest_is_in_the_language_of_the_page(client: httpx.AsyncClient) -> None:
    """Its addresses and its name are the same in all."""
    english = await client.get("/manifest.webmanifest")
    arabic = await client.get("/manifest.webmanifest", headers={"Accept-Language": "ar-EG"})

    told = {key: arabic.json().pop(key) for key in ("lang", "dir", "description")}
    texts = read_texts()["ar"].table
    assert told == {"lang": "ar", "dir": "rtl", "description": texts["page.description"]}
    assert english.json()["lang"] == "en"
    assert english.json()["icons"] == arabic.json()["icons"]
    assert "Accept-Language" in arabic.headers["vary"]


@pytest.mark.parametrize("icon", ICONS, ids=[one["src"] for one in ICONS])
async def test_every_icon_of_the_manifest_is_served_in_its_size(
    client: httpx.AsyncClient, icon: dict[str, str]
) -> None:
    """Byte for byte: a picture is no text."""
    name = icon["src"].removeprefix("./")
    answer = await client.get(f"/{name}")

    assert answer.headers["content-type"].startswith(icon["type"])
    assert answer.content == (STATIC / name).read_bytes()
    if icon["type"] == "image/png":
        assert png_size(answer.content) == icon["sizes"]


def test_the_manifest_has_the_sizes_that_browsers_ask_for() -> None:
    """One of them may be cut to a launcher's shape."""
    assert {(one["sizes"], one.get("purpose")) for one in ICONS} >= {
        ("192x192", None),
        ("512x512", None),
        ("512x512", "maskable"),
    }


async def test_the_icons_of_old_names_are_served_at_the_root(client: httpx.AsyncClient) -> None:
    """Some programs ask for them without reading the page."""
    icon = await client.get("/favicon.ico")
    touch = await client.get("/apple-touch-icon.png")

    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/x-icon")
    assert icon.content.startswith(b"\0\0\1\0")
    sizes = {icon.content[6 + 16 * index] for index in range(icon.content[4])}
    assert sizes == {16, 32, 48}
    assert png_size(touch.content) == "180x180"


async def test_the_service_worker_is_that_of_every_release_and_may_fetch_the_page(
    client: httpx.AsyncClient,
) -> None:
    """It is revalidated, so that a gateway that keeps no page can take it back."""
    worker, page = await client.get("/sw.js"), await client.get("/")

    assert worker.text == (STATIC / "sw.js").read_text(encoding="utf-8")
    assert "const IS_KEPT = true;" in worker.text
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["cache-control"] == "no-cache"
    policy = worker.headers["content-security-policy"]
    assert "default-src 'none'; connect-src 'self';" in policy
    assert "sandbox" not in policy
    assert "data-offline" not in page.text


async def test_a_gateway_can_take_its_service_worker_back() -> None:
    """It removes itself, and the page registers none."""
    async with client_of(GATEWAY_OFFLINE_PAGE="false") as client:
        worker, page = await client.get("/sw.js"), await client.get("/")

    assert "const IS_KEPT = false;" in worker.text
    assert '<body data-offline="no"' in page.text


def test_the_page_may_make_one_kind_of_script_address() -> None:
    """Everything else that a text could become stays forbidden."""
    policy = page_policy(scripts=[], styles=[])

    assert policy.endswith(f"require-trusted-types-for 'script'; trusted-types {SCRIPT_URL_POLICY}")
    assert "manifest-src 'self'; worker-src 'self';" in policy
    assert SCRIPT_URL_POLICY in (STATIC / "page" / "offline_page.js").read_text(encoding="utf-8")


async def test_the_preview_has_the_address_under_which_the_page_was_opened(
    client: httpx.AsyncClient,
) -> None:
    """And the title has the one pillow that is named."""
    page = await client.get("/?pillow=cloud-1")
    other = await client.get("/?pillow=Cloud-1")
    again = await client.get("/?pillow=cloud-1", headers={"If-None-Match": page.headers["etag"]})

    assert "<title>cloud-1 · Pillowcast</title>" in page.text
    assert 'content="http://clouds.example/icons/shared.png"' in page.text
    assert "<title>Pillowcast</title>" in other.text
    assert page.headers["etag"] != other.headers["etag"]
    assert again.status_code == 304


@pytest.mark.parametrize(("auth", "title"), [("none", "Tom &amp; Jo"), ("jwt", "cloud-1")])
async def test_the_title_is_what_people_call_the_pillow_where_everybody_may_know_it(
    auth: str, title: str
) -> None:
    """Elsewhere the id alone, which the request itself names."""
    settings = GatewaySettings.load(GATEWAY_AUTH=auth, GATEWAY_JWT_SECRET="s" * 64)
    app = create_app(settings, [], lambda pillow: "Tom & Jo" if pillow == "cloud-1" else "")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://clouds.example") as client:
        page = await client.get("/?pillow=cloud-1")

    assert f"<title>{title} · Pillowcast</title>" in page.text


async def test_a_configured_address_has_its_path_in_the_preview() -> None:
    """A proxy takes it away, so only the setting knows it."""
    async with client_of(GATEWAY_PUBLIC_URL="https://a.example/pillows") as client:
        page = await client.get("/")

    assert 'content="https://a.example/pillows/icons/shared.png"' in page.text
