"""The fenced code blocks of a page, and the comment above each: what a test does with it. Pure.

    <!-- run -->                             the block is run
    <!-- run: again until it shows -->       the block is run until the next block is its output
    <!-- run: background until TEXT -->      the block is started, and prints TEXT when it is ready
    <!-- shows -->                           what the block before prints; … stands for anything
    <!-- file: NAME -->                      the block is written to this file

A comment is seen neither in the repository nor on the site.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_FENCE: Final = re.compile(r"^( *)(`{3,}|~{3,})\s*([\w+.-]*)")
_COMMENT: Final = re.compile(r"^ *<!-- (run|shows|file)(?:: (.+?))? -->$")


@dataclass(frozen=True)
class Block:
    """A fenced block: `act` is run, shows or file, or empty; `detail` is what follows the colon."""

    page: str
    line: int
    language: str
    text: str
    act: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def code_blocks(page: str, markdown: str) -> Iterator[Block]:
    """Yield the blocks of a page, in order."""
    lines = enumerate(markdown.splitlines(), start=1)
    comment: re.Match[str] | None = None
    for number, line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            comment = _COMMENT.match(line) or (comment if not line.strip() else None)
            continue
        indent, mark, language = fence.groups()
        text = []
        for _, inside in lines:
            if inside.strip().startswith(mark) and not inside.strip().strip(mark[0]):
                break
            text.append(inside.removeprefix(indent))
        act, detail = comment.groups("") if comment else ("", "")
        yield Block(page, number, language, "\n".join(text) + "\n", act, detail)
        comment = None


def shows(expected: str, output: str) -> bool:
    """Whether an output has the expected lines, one after the other, with others in between."""
    pattern = r"[\s\S]*?^".join(
        r".*".join(re.escape(part) for part in line.split("…")) + "$"
        for line in expected.splitlines()
    )
    return re.search(f"^{pattern}", output, re.MULTILINE) is not None
