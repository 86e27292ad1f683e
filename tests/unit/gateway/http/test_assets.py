"""The page's files: found under every name, compressed when that is allowed, kept for good."""

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
from gateway.http.assets import TYPES, PageError, Pages, accepts_gzip, is_known, read_folder

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
    "style.css": b"a {}" * 99,
}


def client_of(files: dict[str, bytes]) -> tuple[Pages, httpx.AsyncClient]:
    pages = Pages(files)
    app = Starlette(routes=[Route("/{path:path}", pages.serve)])
    return pages, httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")


@pytest.fixture
async def site() -> AsyncIterator[tuple[Pages, httpx.AsyncClient]]:
    pages, client = client_of(FILES)
    async with client:
        yield pages, client


async def test_the_page_points_to_files_of_one_version(
    site: tuple[Pages, httpx.AsyncClient],
) -> None:
    """It is asked for anew each time; what it points to is kept for good."""
    pages, client = site
    for path in ("/", "/index.html"):
        answer = await client.get(path)
        assert f'"./assets/{pages.version}/mark.svg"' in answer.text
        assert "'./other.js'" in answer.text  # no file of ours
        assert answer.headers["cache-control"] == "no-cache"
    kept = await client.get(f"/assets/{pages.version}/mark.svg")
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_the_page_comes_with_its_scripts_and_its_style(
    site: tuple[Pages, httpx.AsyncClient],
) -> None:
    """In it, and its policy lets exactly these texts count; on their own they are there, too."""
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


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("page/near.js", b'export const near = "</SCRIPT>";\n', "main.js cannot be within a page"),
        ("page/near.js", b'export const near = "<!--";\n', "main.js cannot be within a page"),
        ("style.css", b"a::after { content: '</style>'; }", "style.css cannot be within a page"),
        ("style.css", b"a {}\r", "style.css cannot be within a page"),
        ("index.html", b'<script src="./none.js"></script>', "none.js, which is not there"),
        ("index.html", b'<script type="module" src="./embed2.js"></script>', "is not linked"),
    ],
)
def test_what_cannot_be_within_the_page_is_said(name: str, content: bytes, said: str) -> None:
    """When the gateway starts, and not by a page that is broken."""
    with pytest.raises(PageError, match=said):
        Pages({**FILES, name: content})


async def test_what_a_page_begins_with_comes_whole(
    site: tuple[Pages, httpx.AsyncClient],
) -> None:
    """With all that it imports; what it imports is there on its own too."""
    _, client = site
    assert "near = 1" in (await client.get("/page/main.js")).text
    assert "near = 1" in (await client.get("/embed.js")).text
    assert (await client.get("/page/near.js")).content == FILES["page/near.js"]


async def test_a_page_of_an_older_version_gets_what_there_is(
    site: tuple[Pages, httpx.AsyncClient],
) -> None:
    """But may not keep it under that name."""
    _, client = site
    answer = await client.get("/assets/0123456789ab/style.css")

    assert (answer.status_code, answer.content) == (200, FILES["style.css"])
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_change_of_any_file_is_another_version(name: str) -> None:
    """Of its content or of its name."""
    versions = {
        Pages(FILES).version,
        Pages({**FILES, name: FILES[name] + b" "}).version,
        Pages({**FILES, f"{name}.js": b""}).version,
    }
    assert len(versions) == 3


async def test_an_answer_is_compressed_where_that_is_allowed(
    site: tuple[Pages, httpx.AsyncClient],
) -> None:
    """It says so, has a tag of its own, and unpacks to the same."""
    pages, client = site
    path = f"/assets/{pages.version}/style.css"
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    async with client.stream("GET", path, headers={"Accept-Encoding": "br, gzip"}) as packed:
        body = b"".join([piece async for piece in packed.aiter_raw()])

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == plain.content == FILES["style.css"]
    assert len(body) == int(packed.headers["content-length"]) < len(plain.content)
    assert "content-encoding" not in plain.headers
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


async def test_what_compressing_does_not_shorten_goes_as_it_is(
    site: tuple[Pages, httpx.AsyncClient],
) -> None:
    """A small file."""
    _, client = site
    answer = await client.get("/page/near.js", headers={"Accept-Encoding": "gzip"})

    assert "content-encoding" not in answer.headers


async def test_who_has_it_is_told_so(site: tuple[Pages, httpx.AsyncClient]) -> None:
    """With no body, and only for the tag it has."""
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
async def test_what_is_not_there_is_a_problem_document(
    site: tuple[Pages, httpx.AsyncClient], path: str
) -> None:
    """Files are looked up in a table: no path leads out of the folder."""
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
def test_gzip_is_sent_to_who_takes_it(accept: str, verdict: bool) -> None:
    """As RFC 9110 has it."""
    assert accepts_gzip(accept) is verdict


@given(st.text(), st.text())
def test_headers_of_any_kind_are_read(accept: str, known: str) -> None:
    """Never an exception."""
    assert accepts_gzip(accept) in (True, False)
    assert is_known(known, '"tag"') in (True, False)


def test_the_page_names_what_exists() -> None:
    """Every file in it; what modules import is found when they are linked."""
    files = read_folder(STATIC)
    named = re.findall(r"""["']\./([^"'#]+)["']""", files["index.html"].decode())

    assert named
    assert set(named) <= set(files)


async def test_the_page_is_small_and_comes_whole() -> None:
    """All of it in 42 KiB, as it goes over the wire; only its icon is asked for on its own."""
    _, client = client_of({**read_folder(STATIC), "states.js": b"export default {};\n"})
    async with client:
        page = await client.get("/")

    assert {one.rpartition("/")[2] for one in re.findall(r"\./assets/[^\"']+", page.text)} == {
        "favicon.svg"
    }
    assert int(page.headers["content-length"]) < 42 * 1024


def test_lines_end_alike_however_they_were_checked_out(tmp_path: Path) -> None:
    """A browser hashes what HTML makes of them."""
    (tmp_path / "style.css").write_bytes(b"a {}\r\nb {}\r\n")

    assert read_folder(tmp_path) == {"style.css": b"a {}\nb {}\n"}


async def test_the_page_is_not_below_the_assets(site: tuple[Pages, httpx.AsyncClient]) -> None:
    """There its addresses would lead to nothing."""
    pages, client = site
    assert (await client.get(f"/assets/{pages.version}/index.html")).status_code == 404


def test_the_mark_is_the_icon_again() -> None:
    """The page draws it itself, so as not to ask for it."""
    shape = re.compile(r"<(?:path|ellipse|circle|stop)[^>]+>")
    icon = (STATIC / "favicon.svg").read_text()
    page = (STATIC / "index.html").read_text().replace("mark-tone", "tone")

    assert shape.findall(page) == shape.findall(icon) != []


def test_only_kinds_that_browsers_need_are_served() -> None:
    """No package.json, no types."""
    assert {f".{name.rpartition('.')[2]}" for name in read_folder(STATIC)} <= set(TYPES)
