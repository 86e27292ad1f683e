"""Static assets: names and versions, inlining, compression and caching."""

import base64
import gzip
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from gateway.http.app import STATIC, page_files
from gateway.http.assets import (
    BUNDLED,
    TYPES,
    AssetError,
    HeadMaker,
    StaticAssets,
    read_folder,
)
from gateway.http.languages import LANGUAGES
from gateway.http.link_preview import preview_head
from gateway.http.negotiation import accepts_gzip, etag_matches
from gateway.http.texts import Texts, read_texts

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


def serve(
    files: dict[str, bytes],
    texts: Mapping[str, Texts] | None = None,
    head_of: HeadMaker = lambda _request, _texts: "<title>Pillowcast</title>",
) -> tuple[StaticAssets, httpx.AsyncClient]:
    assets = StaticAssets(files, texts, head_of=head_of)
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

    assert "<style>.a > b{margin:0 1px}</style>" in page.text


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
    assert "near=1" in (await client.get("/page/main.js")).text
    assert "near=1" in (await client.get("/embed.js")).text
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
    assert len(body) < len(plain.content)
    assert "content-encoding" not in plain.headers
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("path", ["/", "/style.css", "/page/near.js", "/icon.png"])
async def test_files_are_sent_in_chunks_to_clients_that_know_them_and_the_page_is_not(
    path: str, version: str
) -> None:
    """Firefox takes what was cut for whole, unless it comes in chunks."""
    assets, _ = serve({**FILES, "icon.png": bytes(1000)})
    scope = {
        "type": "http",
        "method": "GET",
        "http_version": version,
        "path": path,
        "path_params": {"path": path[1:]},
        "query_string": b"",
        "headers": [],
    }
    response = await assets.serve(Request(scope))

    assert response.status_code == 200
    assert ("content-length" in response.headers) == (path == "/" or version == "1.0")


async def test_nothing_is_compressed_for_a_client_that_takes_it_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And a picture for nobody: it would not be shorter."""

    def fail(*_arguments: object, **_options: object) -> bytes:
        raise AssertionError("compressed")

    monkeypatch.setattr(gzip, "compress", fail)
    _, client = serve({**FILES, "icon.png": bytes(1000)})
    async with client:
        plain = await client.get("/style.css", headers={"Accept-Encoding": "identity"})
        picture = await client.get("/icon.png", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in picture.headers
    assert picture.content == bytes(1000)


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


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_is_one_response_of_limited_size(language: str) -> None:
    """Compressed; only the icon is another request. What `body` names is loaded later.

    Letters that are not Latin take two or three bytes.
    """
    texts = read_texts()
    home = "https://clouds.example.org/pillows/"
    _, client = serve(page_files(texts), texts, lambda _, own: preview_head([], None, home, own))
    async with client:
        page = await client.get("/", params={"lang": language})

    at_once = re.sub(r"<body[^>]*>", "", page.text)
    assert {one.rpartition("/")[2] for one in re.findall(r"\./assets/[^\"']+", at_once)} == {
        "favicon.svg",
        "apple-touch-icon.png",  # which nothing asks for but an iPhone that installs the page
    }
    assert int(page.headers["content-length"]) < 48 * 1024
    # By its end the service worker knows a whole page.
    assert page.text.index("</html>") == len(page.text.rstrip()) - len("</html>")


async def test_every_part_that_is_loaded_later_is_a_bundle_or_a_style_sheet() -> None:
    """A module that imports would be a request for each of its imports."""
    files = page_files(read_texts())
    body = re.search(r"<body[^>]*>", files["index.html"].decode())
    assert body is not None
    parts = re.findall(r'data-[\w-]+="\./([^"]+)"', body.group())

    assert parts
    for part in parts:
        assert part in BUNDLED or (part.endswith(".css") and part in files), part


async def test_the_page_is_in_the_language_that_the_request_asks_for(
    site: tuple[StaticAssets, httpx.AsyncClient],
) -> None:
    """A cache keeps them apart, and a policy of one holds for the other."""
    texts = {
        "en": Texts("en", {"page.hello": "<Hello>", "later.a": "there", "status.b": "</script>"}),
        "de": Texts("de", {"page.hello": "<Hallo>", "later.a": "dort", "status.b": "da"}),
    }
    page = b"""<html lang="{{lang}}" dir="{{dir}}"><body data-later="./page/main.js">{{page.hello}}
<script type="application/json">{{texts}}</script>"""
    assets, client = serve({**FILES, "index.html": page + FILES["index.html"]}, texts)
    async with client:
        english = await client.get("/", headers={"Accept-Language": "pl, en;q=0.1"})
        german = await client.get("/", headers={"Accept-Language": "de-CH, en;q=0.9"})
        asked = await client.get("/?lang=de", headers={"Accept-Language": "en"})
        module = await client.get(f"/assets/{assets.version}/page/main.de.js")

    assert '<html lang="en" dir="ltr">' in english.text
    assert "&lt;Hello&gt;\n" in english.text
    assert '<script type="application/json">{"status.b":"\\u003c/script>"}</script>' in english.text
    assert f'data-later="./assets/{assets.version}/page/main.en.js"' in english.text
    assert '<html lang="de" dir="ltr">' in german.text
    assert german.content == asked.content
    assert german.headers["etag"] != english.headers["etag"]
    assert german.headers["content-language"] == "de"
    assert german.headers["vary"] == "Accept-Encoding, Accept-Language"
    policies = {one.headers["content-security-policy"] for one in (english, german)}
    assert len(policies) == 1
    assert module.text.endswith(
        'export const $texts = {"later.a":"dort"};\n'
        f'export const $version = "{assets.version}";\n'
    )


def test_the_version_depends_on_every_sentence() -> None:
    """Of every language, because modules with sentences are cached by it."""
    texts = {"en": Texts("en", {"a.b": "c"}), "de": Texts("de", {"a.b": "d"})}
    changed = {**texts, "de": Texts("de", {"a.b": "e"})}
    assert StaticAssets(FILES, texts).version != StaticAssets(FILES, changed).version


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
    page = page[: page.index("</h1>")]

    assert shape.findall(page) == shape.findall(icon) != []


def test_only_files_with_a_known_type_are_served() -> None:
    """Not package.json, nor the TypeScript declarations."""
    assert {f".{name.rpartition('.')[2]}" for name in read_folder(STATIC)} <= set(TYPES)
