"""The types of the modules for other sites."""

import re

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.http.app import STATIC, page_files
from gateway.http.assets import StaticAssets
from gateway.http.served_types import as_served, types_header
from gateway.http.texts import read_texts


def test_imports_name_declarations() -> None:
    """Those of types, and those of names."""
    source = b'import type { A } from "./a.js"; export const b: import("./b/c.js").C; // "./d.js"'
    expected = (
        b'import type { A } from "./a.d.ts"; export const b: import("./b/c.d.ts").C; // "./d.js"'
    )
    assert as_served(source) == expected
    assert types_header("page/main.js") == {}


async def test_a_program_finds_every_declaration_from_the_modules_url() -> None:
    """Also below the folder of a version, and from another site."""
    texts = read_texts()
    assets = StaticAssets(page_files(texts), texts)
    app = Starlette(routes=[Route("/{path:path}", assets.serve)])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://pillows") as client:
        waiting = ["/pillowcast.js", f"/assets/{assets.version}/pillowcast.js", "/embed.js"]
        seen: set[str] = set()
        while waiting:
            url = waiting.pop()
            response = await client.get(url)
            assert response.status_code == 200, url
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            if url.endswith(".js"):
                found = [response.headers["X-TypeScript-Types"]]
            else:
                assert response.headers["Content-Type"].startswith("application/typescript")
                found = re.findall(r'(?:from |import\()"([^"]+)"', response.text)
            seen.add(url)
            waiting += {str(response.url.join(one).raw_path, "ascii") for one in found} - seen
        # Those of every module that is published, but for what only React and Vue have.
        names = {url.rpartition("/")[2] for url in seen if url.endswith(".d.ts")}
        types = {path.name for path in STATIC.joinpath("client/types").iterdir()}
        assert (
            {"pillowcast.d.ts", "client.d.ts", "element.d.ts"} <= names <= {*types, "element.d.ts"}
        )
