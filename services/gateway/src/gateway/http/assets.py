"""Static assets: the page's files, bundled and hashed once at the start, and compressed once.

Each file is served at its own name, to be revalidated each time, and below `assets/<version>/`, to
be cached for ever: the version is a hash of all files, and the page refers to that folder.
Entry modules are bundled with their imports, and scripts and styles are inlined into the page,
because on a phone each further request takes a long round trip.
The page exists once in each language: with its sentences, and with the addresses of modules that it
loads later and that bring theirs.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from gateway.http import served_types
from gateway.http.asset_file import BINARY, AssetFile
from gateway.http.bundler import bundle
from gateway.http.csp import WORKER_POLICY, page_policy
from gateway.http.languages import ENGLISH, choose_language
from gateway.http.negotiation import accepts_gzip, etag_matches
from gateway.http.problems import problem
from gateway.http.spliced import Spliced, SplicedText
from gateway.http.texts import Texts

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".ts": served_types.MEDIA_TYPE,
    ".webmanifest": "application/manifest+json",
}
"""The media types by file extension; files with another extension are not served."""

BUNDLED: Final = (
    "page/main.js",
    "page/head.js",
    "page/latency_panel.js",
    "page/extras.js",
    "page/wall_mode.js",
    "page/story.js",
    "embed.js",
    "pillowcast.js",
)
"""The entry modules, which are served with everything that they import."""

WORKER: Final = "sw.js"
MANIFEST: Final = "manifest.webmanifest"
UNVERSIONED: Final = (MANIFEST, WORKER)
"""What has to be beside the page, because its address says for which folder it is."""

_PAGE: Final = "index.html"
_TITLE: Final = "<title>Pillowcast</title>"
_CACHE_FOREVER: Final = "public, max-age=31536000, immutable"
_REVALIDATE: Final = "no-cache"
_LOADED_BY_OTHER_SITES: Final = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_REFERENCE: Final = re.compile(
    r'<script(?P<attributes>[^>]*) src="\./(?P<script>[^"]+)"></script>'
    r'|<link rel="stylesheet" href="\./(?P<style>[^"]+)">'
    r"""|(?P<quote>["'])\./(?P<other>[\w./-]+)(?P=quote)"""
)
"""A reference in the page's source to another file."""

_LATER: Final = re.compile(r'data-(?P<group>\w+)="\./(?P<module>[\w./-]+\.js)"')
"""A module that the page loads later, and the group of its sentences."""

_LATER_STYLE: Final = re.compile(r'data-\w+-style="\./(?P<style>[\w./-]+\.css)"')
_END_OF_STYLE: Final = b"#whole{}\n"
"""The last rule of a style sheet that the page loads later: without it, the sheet was cut."""

_CSS_COMMENT: Final = re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_SPACE_AROUND_BRACE: Final = re.compile(r"\s*([{};])\s*|(?<=[:,]) +")
_INDENTATION: Final = re.compile(r"^[ \t]+", re.MULTILINE)


HeadMaker: TypeAlias = Callable[[Request, Texts], str]


class AssetError(Exception):
    """The page cannot be built; the message names the file and the reason."""


def read_folder(folder: Path) -> dict[str, bytes]:
    """Read every file that is served, by its path below the folder.

    Line ends of texts become LF however git checked the files out, because browsers hash inline
    scripts with LF.
    """
    return {
        path.relative_to(folder).as_posix(): _read(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in TYPES
    }


def _read(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix in BINARY:
        return content
    text = content.replace(b"\r\n", b"\n")
    return served_types.as_served(text) if path.suffix == ".ts" else text


class StaticAssets:
    """The page, its modules, and the modules for other sites."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        texts: Mapping[str, Texts] | None = None,
        *,
        frame_ancestors: Sequence[str] = (),
        head_of: HeadMaker = lambda _request, _texts: _TITLE,
    ) -> None:
        """`files` are contents by path, `texts` the sentences of each language, English among them.

        Sites of `frame_ancestors` may frame the page.
        `head_of` returns what a response has instead of the page's title.
        Raises AssetError, BundleError or TextError if the files do not fit.
        """
        texts = texts or {ENGLISH: Texts(ENGLISH, {})}
        self.version = _digest({**files, **{one: texts[one].all() for one in texts}})
        modules = {name: body.decode() for name, body in files.items() if name.endswith(".js")}
        bundled = {name: bundle(name, modules).encode() for name in BUNDLED if name in files}
        self._files = {name: AssetFile(name, body) for name, body in {**files, **bundled}.items()}
        del self._files[_PAGE]  # it is served at the root only, which its references assume
        source = _INDENTATION.sub("", files[_PAGE].decode())
        later = {one["module"]: one["group"] for one in _LATER.finditer(source)}
        for found in _LATER_STYLE.finditer(source):
            if found["style"] in files:
                style = files[found["style"]] + _END_OF_STYLE
                self._files[found["style"]] = AssetFile(found["style"], style)
        for language, sentences in texts.items():
            for name in later.keys() & bundled.keys():
                body = bundled[name] + b"export const $texts = %b;\n" % sentences.of(later[name])
                body += b'export const $version = "%b";\n' % self.version.encode()
                self._files[_in_language(name, language)] = AssetFile(name, body)
            if MANIFEST in files:
                manifest = _in_language(MANIFEST, language)
                translated = sentences.translate_manifest(files[MANIFEST])
                self._files[manifest] = AssetFile(manifest, translated)
        self._pages: dict[str, SplicedText] = {}
        for language, sentences in texts.items():
            page, scripts, styles = self._inline(
                sentences.put_into(source, {*later.values()}), language
            )
            before, _, after = page.partition(_TITLE)
            self._pages[language] = SplicedText(before, after)
        # Scripts and styles, and so the policy, are the same in every language.
        self._page_policy = page_policy(
            scripts=scripts, styles=styles, frame_ancestors=frame_ancestors
        )
        self._texts = texts
        self._head_of = head_of

    async def serve(self, request: Request) -> Response:
        """Respond with the file that the path names."""
        path = request.path_params["path"] or _PAGE
        version, name = _split(path)
        is_page = (version, name) == (None, _PAGE)
        language = _language_of(request)
        file = self._make_page(request, language) if is_page else self._find(name, language)
        if file is None:
            return problem(404, "not found", f"nothing is at {request.url.path[:80]!r}")
        # A page that is older than this process may request an older version; it gets the current
        # file, which it may not cache under that name.
        headers = {
            "Cache-Control": _CACHE_FOREVER if version == self.version else _REVALIDATE,
            "Vary": "Accept-Encoding",
        }
        if is_page:
            headers["Content-Security-Policy"] = self._page_policy
        elif name == WORKER:
            headers["Content-Security-Policy"] = WORKER_POLICY
        elif name.endswith((".js", ".ts")):
            # Pages of every site may load the modules, which browsers fetch with CORS.
            headers |= _LOADED_BY_OTHER_SITES | served_types.types_header(name)
        if is_page or name == MANIFEST:
            headers["Content-Language"] = language
            headers["Vary"] = "Accept-Encoding, Accept-Language"
        body, etag = file.body, f'"{file.etag}"'
        takes_gzip = accepts_gzip(request.headers.get("accept-encoding", ""))
        if takes_gzip and file.compressed is not None:
            body, etag = file.compressed, f'"{file.etag}-gzip"'
            headers["Content-Encoding"] = "gzip"
        headers["ETag"] = etag
        if etag_matches(request.headers.get("if-none-match", ""), etag):
            headers.pop("Content-Encoding", None)
            return Response(status_code=304, headers=headers)
        response = Response(body, media_type=TYPES[Path(name).suffix], headers=headers)
        if not is_page and request.scope["http_version"] == "1.1":
            # Firefox takes a body of a known length for whole also if it was cut, but not one in
            # chunks. The page keeps its length: cut in chunks, Firefox would show an error page in
            # its place, while half a page loads itself anew.
            del response.headers["content-length"]
        return response

    def _find(self, name: str, language: str) -> AssetFile | None:
        return self._files.get(_in_language(name, language) if name == MANIFEST else name)

    def _make_page(self, request: Request, language: str) -> Spliced:
        return self._pages[language].splice(self._head_of(request, self._texts[language]))

    def _inline(self, page: str, language: str) -> tuple[str, list[str], list[str]]:
        """Inline scripts and styles, which are returned as well; version the other references.

        Of a module that exists in each language, the page refers to that of its own.
        """
        scripts: list[str] = []
        styles: list[str] = []

        def replace(found: re.Match[str]) -> str:
            if name := found["script"]:
                if "module" in found["attributes"] and name not in BUNDLED:
                    raise AssetError(f"{_PAGE} has the module {name}, which is not bundled")
                scripts.append(self._inline_text(name, "script"))
                return f"<script{found['attributes']}>{scripts[-1]}</script>"
            if name := found["style"]:
                styles.append(_condense(self._inline_text(name, "style")))
                return f"<style>{styles[-1]}</style>"
            quote, name = found["quote"], found["other"]
            if name in UNVERSIONED:
                return found.group()
            if _in_language(name, language) in self._files:
                name = _in_language(name, language)
            known = name in self._files
            return f"{quote}./assets/{self.version}/{name}{quote}" if known else found.group()

        return _REFERENCE.sub(replace, page), scripts, styles

    def _inline_text(self, name: str, element: str) -> str:
        if name not in self._files:
            raise AssetError(f"{_PAGE} refers to {name}, which does not exist")
        text = self._files[name].body.decode()
        if found := re.search(rf"</{element}|<!--|[\r\0]", text, re.IGNORECASE):
            raise AssetError(f"{name} cannot be inlined: it contains {found.group()!r}")
        return text


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, body in sorted(files.items()):
        digest.update(b"%b\0%d\0%b" % (name.encode(), len(body), body))
    return digest.hexdigest()[:12]


def _language_of(request: Request) -> str:
    accepted = ",".join(request.headers.getlist("accept-language"))
    return choose_language(request.query_params.get("lang", ""), accepted)


def _in_language(name: str, language: str) -> str:
    """Return the name of a file that exists in each language."""
    stem, _, extension = name.rpartition(".")
    return f"{stem}.{language}.{extension}"


def _condense(style: str) -> str:
    """Remove comments on lines of their own and spaces, 3 % of the compressed page.

    No string in a style sheet may contain a brace, a semicolon, or a space behind a colon or comma.
    """
    return _SPACE_AROUND_BRACE.sub(r"\1", _CSS_COMMENT.sub("", style)).replace(";}", "}")


def _split(path: str) -> tuple[str | None, str]:
    """Split `assets/<version>/<name>`; any other path has no version."""
    match = re.fullmatch(r"assets/([0-9a-f]{12})/(.+)", path)
    return (match.group(1), match.group(2)) if match else (None, path)
