"""The page's files as browsers get them: read once, linked once, compressed once.

Every file is served at its own name, to be asked for anew each time, and below `assets/<version>/`,
for good: the version is the hash of all files together, and the page points there. Modules that a
page or another site begins with come with all that they import, as one request; and the page comes
with its scripts and its style in it, because on a phone each further request is a long wait.
"""

import base64
import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.http.bundler import link
from gateway.http.problems import problem

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is served, by the end of its name; a file of another kind is not."""

LINKED: Final = ("page/main.js", "embed.js", "pillowcast.js")
"""The modules that come with all that they import."""

_PAGE: Final = "index.html"
_FOREVER: Final = "public, max-age=31536000, immutable"
_ASK_ANEW: Final = "no-cache"
_REFERENCE: Final = re.compile(
    r'<script(?P<kind>[^>]*) src="\./(?P<script>[^"]+)"></script>'
    r'|<link rel="stylesheet" href="\./(?P<style>[^"]+)">'
    r"""|(?P<quote>["'])\./(?P<other>[\w./-]+)(?P=quote)"""
)
"""How the page as it is written names another file."""

_WORTH_COMPRESSING: Final = 256  # bytes; below, the header of gzip eats what it saves


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    compressed: bytes | None
    tag: str
    media_type: str


def read_folder(folder: Path) -> dict[str, bytes]:
    """Read every file of a kind that is served, by its name below the folder.

    Lines end as HTML has them, however they were checked out: a browser hashes what it has read.
    """
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().replace(b"\r\n", b"\n")
        for path in sorted(folder.rglob("*"))
        if path.suffix in TYPES
    }


class PageError(Exception):
    """A page that cannot be put together: which file, and why."""


class Pages:
    """The page, its modules, and what other sites embed."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        digest = hashlib.sha256()
        for name, body in sorted(files.items()):
            digest.update(b"%b\0%d\0%b" % (name.encode(), len(body), body))
        self.version = digest.hexdigest()[:12]
        modules = {name: body.decode() for name, body in files.items() if name.endswith(".js")}
        linked = {name: link(name, modules).encode() for name in LINKED if name in files}
        self._files = {name: _file(name, body) for name, body in {**files, **linked}.items()}
        del self._files[_PAGE]  # it is what is at the top, and nowhere else
        page, self._policy = self._whole(files[_PAGE].decode())
        self._page = _file(_PAGE, page.encode())

    async def serve(self, request: Request) -> Response:
        """Answer for one file."""
        path = request.path_params["path"] or _PAGE
        version, name = _split(path)
        file = self._page if (version, name) == (None, _PAGE) else self._files.get(name)
        if file is None:
            return problem(404, "not found", f"nothing is at {request.url.path[:80]!r}")
        # A page older than this process may ask for an older version: it gets what there is.
        headers = {
            "Cache-Control": _FOREVER if version == self.version else _ASK_ANEW,
            "Vary": "Accept-Encoding",
        }
        if file is self._page:
            headers["Content-Security-Policy"] = self._policy
        body, tag = file.body, f'"{file.tag}"'
        if file.compressed is not None and accepts_gzip(request.headers.get("accept-encoding", "")):
            body, tag = file.compressed, f'"{file.tag}-gzip"'
            headers["Content-Encoding"] = "gzip"
        headers["ETag"] = tag
        if is_known(request.headers.get("if-none-match", ""), tag):
            headers.pop("Content-Encoding", None)
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=file.media_type, headers=headers)

    def _whole(self, page: str) -> tuple[str, str]:
        """Put scripts and styles into the page, point to all else; also say what it may run."""
        scripts: list[str] = []
        styles: list[str] = []

        def put(found: re.Match[str]) -> str:
            if name := found["script"]:
                if "module" in found["kind"] and name not in LINKED:
                    raise PageError(f"the page asks for the module {name}, which is not linked")
                scripts.append(self._text(name, "script"))
                return f"<script{found['kind']}>{scripts[-1]}</script>"
            if name := found["style"]:
                styles.append(self._text(name, "style"))
                return f"<style>{styles[-1]}</style>"
            quote, name = found["quote"], found["other"]
            known = name in self._files
            return f"{quote}./assets/{self.version}/{name}{quote}" if known else found.group()

        return _REFERENCE.sub(put, page), policy(scripts=scripts, styles=styles)

    def _text(self, name: str, element: str) -> str:
        if name not in self._files:
            raise PageError(f"the page asks for {name}, which is not there")
        text = self._files[name].body.decode()
        if found := re.search(rf"</{element}|<!--|[\r\0]", text, re.IGNORECASE):
            raise PageError(f"{name} cannot be within a page: it says {found.group()!r}")
        return text


def _file(name: str, body: bytes) -> _File:
    smaller = gzip.compress(body, 9, mtime=0)
    return _File(
        body,
        smaller if len(body) >= _WORTH_COMPRESSING and len(smaller) < len(body) else None,
        hashlib.sha256(body).hexdigest()[:16],
        TYPES[Path(name).suffix],
    )


def policy(*, scripts: Iterable[str] = (), styles: Iterable[str] = ()) -> str:
    """Say what a browser may load for an answer of ours, and which texts within it may count."""
    script_src = " ".join(["'self'", *map(_fingerprint, scripts)])
    style_src = " ".join(["'self'", *map(_fingerprint, styles)])
    return (
        f"default-src 'none'; script-src {script_src}; style-src {style_src}; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )


def _fingerprint(text: str) -> str:
    """Name a text within a page as its policy does."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _split(path: str) -> tuple[str | None, str]:
    """Split `assets/<version>/<name>`; a path that is none has no version."""
    match = re.fullmatch(r"assets/([0-9a-f]{12})/(.+)", path)
    return (match.group(1), match.group(2)) if match else (None, path)


def accepts_gzip(accept: str) -> bool:
    """Say whether an Accept-Encoding allows gzip: named, or by `*`, and not with a weight of 0."""
    weights = {}
    for one in accept.lower().split(","):
        coding, _, parameters = one.partition(";")
        match = re.search(r"q\s*=\s*([0-9.]+)", parameters)
        weights[coding.strip()] = match is None or match.group(1).strip("0.") != ""
    return weights.get("gzip", weights.get("*", False))


def is_known(if_none_match: str, tag: str) -> bool:
    """Say whether a browser has this version already; a proxy may have made its tag a weak one."""
    known = (one.strip().removeprefix("W/") for one in if_none_match.split(","))
    return any(one in (tag, "*") for one in known)
