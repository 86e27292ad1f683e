"""Static assets: names and versions, inlining, compression and caching."""

import base64
import gzip
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.http.app import STATIC
from gateway.http.assets import BUNDLED, TYPES, AssetError, StaticAssets, read_folder
from gateway.http.negotiation import accepts_gzip, etag_matches

FILES = {
    "index.html": b"""\
<link rel="stylesheet" href="./style.css"><img src="./mark.svg"><a href='./other.js'>
<script type="module" src="./page/main.js"></script>
""",
    "mark.svg": b"<svg/>",
    "embed.js": b'import { near } from "./page/near.js";\n',
    "pillowcast.js": b'export { near } from "./page/near.js";\n',
    "page/main.js": b'import { near } from "./near.js";\n' + b"// long\n" * 99,
    "page/near.js": b"/** Near. */\nexport const near = 1;\n",
    "style.css": b"a{}" * 99,
}


def serve(files: dict[str, bytes]) -> tuple[StaticAssets, httpx.AsyncClient]:
    assets = StaticAssets(files)
    app = Starlette(routes=[Route("/{path:path}", assets.serve)])
    return assets, httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")


@pytest.fixture
async def site() -> AsyncIterator[tuple[StaticAssets, httpx.AsyncClient]]:
    assets, client = serve(FILES)
    async with client:
        yield assets, client


async def test_the_page_is_revalidated_and_refers_to_files_that_are_cached_for_ever(
    site: tuple[StaticAssets, httpx.AsyncClient],
) -> None:
    """By the version in their path."""
    assets, client = site
    for path in ("/", "/index.html"):
        answer = await client.get(path)
        assert f'"./assets/{assets.version}/mark.svg"' in answer.text
        assert "'./other.js'" in answer.text  # not one of the files
        assert answer.headers["cache-control"] == "no-cache"
    kept = await client.get(f"/assets/{assets.version}/mark.svg")
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_scripts_and_styles_are_inlined_and_allowed_by_their_hash(
    site: tuple[StaticAssets, httpx.AsyncClient],
) -> None:
    """The policy allows exactly these texts; the files are also served on their own."""
    _, client = site
    page = await client.get("/")
    script = (await client.get("/page/main.js")).text
    style = (await client.get("/style.css")).text

    assert f'<script type="module">{script}</script>' in page.text
    assert f"<style>{style}</style>" in page.text
    policy = page.headers["content-security-policy"]
    for source, text in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{source} 'self' 'sha256-{digest}';" in policy


async def test_an_inlined_style_sheet_has_no_comments_and_no_indentation() -> None:
    """Selectors and values keep their spaces."""
    style = b"/* A rule. */\n.a > b {\n  /* Why. */\n  margin: 0 1px;\n}\n"
    _, client = serve({**FILES, "style.css": style})
    async with client:
        page = await client.get("/")

    assert "<style>.a > b{margin: 0 1px;}</style>" in page.text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("page/near.js", b'export const near = "</SCRIPT>";\n', "main.js cannot be inlined"),
        ("page/near.js", b'export const near = "<!--";\n', "main.js cannot be inlined"),
        ("style.css", b"a::after { content: '</style>'; }", "style.css cannot be inlined"),
        ("style.css", b"a {}\r", "style.css cannot be inlined"),
        ("index.html", b'<script src="./none.js"></script>', "none.js, which does not exist"),
        ("index.html", b'<script type="module" src="./embed2.js"></script>', "is not bundled"),
    ],
)
def test_a_file_that_cannot_be_inlined_is_an_error_at_the_start(
    name: str, content: bytes, message: str
) -> None:
    """The message names the file, instead of a page that is broken in the browser."""
    with pytest.raises(AssetError, match=message):
        StaticAssets({**FILES, name: content})


async def test_an_entry_module_is_bundled_with_its_imports(
    site: tuple[StaticAssets, httpx.AsyncClient],
) -> None:
    """The imported module is also served on its own."""
    _, client = site
    assert "near = 1" in (await client.get("/page/main.js")).text
    assert "near = 1" in (await client.get("/embed.js")).text
    assert (await client.get("/page/near.js")).content == FILES["page/near.js"]


async def test_an_older_version_gets_the_current_file_which_is_not_cached(
    site: tuple[StaticAssets, httpx.AsyncClient],
) -> None:
    """A page that is older than the process requests it."""
    _, client = site
    answer = await client.get("/assets/0123456789ab/style.css")

    assert (answer.status_code, answer.content) == (200, FILES["style.css"])
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_version_depends_on_every_file(name: str) -> None:
    """On its content and on its name."""
    versions = {
        StaticAssets(FILES).version,
        StaticAssets({**FILES, name: FILES[name] + b" "}).version,
        StaticAssets({**FILES, f"{name}.js": b""}).version,
    }
    assert len(versions) == 3


async def test_a_response_is_compressed_if_the_client_accepts_gzip(
    site: tuple[StaticAssets, httpx.AsyncClient],
) -> None:
    """With its own ETag, and with the same content."""
    assets, client = site
    path = f"/assets/{assets.version}/style.css"
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    async with client.stream("GET", path, headers={"Accept-Encoding": "br, gzip"}) as packed:
        body = b"".join([piece async for piece in packed.aiter_raw()])

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == plain.content == FILES["style.css"]
    assert len(body) == int(packed.headers["content-length"]) < len(plain.content)
    assert "content-encoding" not in plain.headers
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


async def test_a_file_that_compression_does_not_shorten_is_not_compressed(
    site: tuple[StaticAssets, httpx.AsyncClient],
) -> None:
    """A small file, whose compressed form would be longer."""
    _, client = site
    answer = await client.get("/page/near.js", headers={"Accept-Encoding": "gzip"})

    assert "content-encoding" not in answer.headers


async def test_a_matching_etag_is_answered_with_304(
    site: tuple[StaticAssets, httpx.AsyncClient],
) -> None:
    """Without a body; another tag gets the file."""
    _, client = site
    first = await client.get("/")
    again = await client.get("/", headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "content-encoding" not in again.headers
    other = await client.get("/", headers={"If-None-Match": '"x"'})
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize(
    "path", ["/nothing", "/assets/0123456789ab/nothing.js", "/../app.py", "/page", "/page/"]
)
async def test_an_unknown_path_is_answered_with_a_problem_document(
    site: tuple[StaticAssets, httpx.AsyncClient], path: str
) -> None:
    """Files are looked up in a table, so no path leads out of the folder."""
    _, client = site
    answer = await client.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("accept", "verdict"),
    [
        ("gzip", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("GZIP", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*;q=0", False),
        ("br, *;q=0", False),
    ],
)
def test_gzip_is_accepted_by_name_or_wildcard_with_a_positive_weight(
    accept: str, verdict: bool
) -> None:
    """RFC 9110 §12.5.3."""
    assert accepts_gzip(accept) is verdict


@given(st.text(), st.text())
def test_any_header_value_is_parsed_without_an_exception(accept: str, known: str) -> None:
    """They are chosen by the client."""
    assert accepts_gzip(accept) in (True, False)
    assert etag_matches(known, '"tag"') in (True, False)


def test_every_file_that_the_page_refers_to_exists() -> None:
    """The imports of modules are checked by the bundler."""
    files = read_folder(STATIC)
    named = re.findall(r"""["']\./([^"'#]+)["']""", files["index.html"].decode())

    assert named
    assert set(named) <= set(files)


async def test_the_page_is_one_response_below_48_kib() -> None:
    """Compressed; only the icon is another request. What `body` names is loaded later."""
    _, client = serve({**read_folder(STATIC), "states.js": b"export default {};\n"})
    async with client:
        page = await client.get("/")

    at_once = re.sub(r"<body[^>]*>", "", page.text)
    assert {one.rpartition("/")[2] for one in re.findall(r"\./assets/[^\"']+", at_once)} == {
        "favicon.svg",
        "apple-touch-icon.png",  # which nothing asks for but an iPhone that installs the page
    }
    assert int(page.headers["content-length"]) < 48 * 1024


async def test_every_part_that_is_loaded_later_is_a_bundle_or_a_style_sheet() -> None:
    """A module that imports would be a request for each of its imports."""
    files = {**read_folder(STATIC), "states.js": b"export default {};\n"}
    body = re.search(r"<body[^>]*>", files["index.html"].decode())
    assert body is not None
    parts = re.findall(r'data-[\w-]+="\./([^"]+)"', body.group())

    assert parts
    for part in parts:
        assert part in BUNDLED or (part.endswith(".css") and part in files), part


def test_line_ends_are_read_as_lf(tmp_path: Path) -> None:
    """Browsers hash inline scripts with LF."""
    (tmp_path / "style.css").write_bytes(b"a {}\r\nb {}\r\n")

    assert read_folder(tmp_path) == {"style.css": b"a {}\nb {}\n"}


async def test_the_page_is_not_served_below_assets(
    site: tuple[StaticAssets, httpx.AsyncClient],
) -> None:
    """Its relative references would lead to nothing there."""
    assets, client = site
    assert (await client.get(f"/assets/{assets.version}/index.html")).status_code == 404


def test_the_pages_inline_mark_equals_the_icon() -> None:
    """It is inlined to save a request."""
    shape = re.compile(r"<(?:path|ellipse|circle|stop)[^>]+>")
    icon = (STATIC / "favicon.svg").read_text()
    page = (STATIC / "index.html").read_text().replace("logo-gradient", "tone")

    assert shape.findall(page) == shape.findall(icon) != []


def test_only_files_with_a_known_type_are_served() -> None:
    """Not package.json, nor the TypeScript declarations."""
    assert {f".{name.rpartition('.')[2]}" for name in read_folder(STATIC)} <= set(TYPES)
