"""Links in Markdown: finds them outside of code, and rewrites their targets. Pure."""

import re
from collections.abc import Callable
from typing import Final

_FENCE: Final = re.compile(r"^ *(`{3,}|~{3,})")
_CODE_SPAN: Final = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_TARGET: Final = re.compile(r"(?<=\]\()([^)\s]+)(?=(?:\s+\"[^\"]*\")?\))")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def is_relative(target: str) -> bool:
    """Whether a link's target is a path, and neither an address nor a place of its own page."""
    return not (target.startswith(("#", "/")) or _SCHEME.match(target))


def rewrite_links(markdown: str, rewrite: Callable[[str], str]) -> str:
    """Return a page with each relative target of a link or an image replaced; code stays."""
    lines = []
    fence = ""
    for line in markdown.splitlines(keepends=True):
        if mark := _FENCE.match(line):
            if not fence:
                fence = mark[1]
            elif mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            lines.append(line)
        else:
            lines.append(line if fence else _rewrite_line(line, rewrite))
    return "".join(lines)


def _rewrite_line(line: str, rewrite: Callable[[str], str]) -> str:
    def replace(found: re.Match[str]) -> str:
        inside_code = any(start <= found.start() < end for start, end in spans)
        return found[0] if inside_code or not is_relative(found[0]) else rewrite(found[0])

    spans = [code.span() for code in _CODE_SPAN.finditer(line)]
    return _TARGET.sub(replace, line)
