"""Checks the built site: every internal link and anchor, and that nothing loads from elsewhere."""

import os
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_LOADED: Final = {
    ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"),
    ("audio", "src"), ("object", "data"), ("image", "href"), ("use", "href"),
}  # fmt: skip
_LOADING_RELATIONS: Final = {"stylesheet", "icon", "preload", "modulepreload", "preconnect",
                             "prefetch", "dns-prefetch", "manifest"}  # fmt: skip
_CSS_ADDRESS: Final = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])((?:https?:)?//[^'\")\s]+)")


@dataclass
class _Page(HTMLParser):
    """The anchors and the addresses of one page."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.update(values[name] for name in ("id", "name") if values.get(name))
        for name in ("src", "href", "data"):
            if (address := values.get(name)) is None:
                continue
            relations = set(values.get("rel", "").lower().split())
            is_loaded = (tag, name) in _LOADED or (tag == "link" and relations & _LOADING_RELATIONS)
            (self.loads if is_loaded else self.links).append(address)


@dataclass(frozen=True)
class SiteReport:
    """What is wrong, and which links lead out of the site."""

    problems: list[str]
    external: list[str]


def check_site(site: Path) -> SiteReport:
    """Read every page and style sheet of a built site. Nothing is fetched."""
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    problems: list[str] = []
    external: set[str] = set()
    for path, page in pages.items():
        if path.name == "404.html":
            continue  # its addresses are absolute, because it is served for any path
        for address in page.links + page.loads:
            if urlsplit(address).scheme in ("http", "https") or address.startswith("//"):
                if address in page.loads:
                    problems.append(f"{path.relative_to(site)}: loads {address} from elsewhere")
                else:
                    external.add(address)
            elif problem := _problem(site, path, address, pages):
                problems.append(f"{path.relative_to(site)}: {problem}")
    for path in sorted(site.rglob("*.css")):
        problems += [
            f"{path.relative_to(site)}: loads {address} from elsewhere"
            for address in _CSS_ADDRESS.findall(path.read_text(encoding="utf-8"))
        ]
    return SiteReport(sorted(set(problems)), sorted(external))


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _problem(site: Path, path: Path, address: str, pages: dict[Path, _Page]) -> str | None:
    """Return what is wrong with an internal address, if anything."""
    parts = urlsplit(address)
    if parts.scheme:
        return None  # data:, mailto:
    place = unquote(parts.path)
    start = site if place.startswith("/") else path.parent
    target = Path(os.path.normpath(start / place.lstrip("/"))) if place else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return f"{address} does not exist"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return f"{address}: the page has no such place"
    return None
