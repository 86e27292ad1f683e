"""Every block of code in the documentation can be parsed in its language."""

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from configparser import ConfigParser
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
import yaml

from devstack.node import find_node
from devstack.processes import ROOT
from docsite.blocks import Block, code_blocks

PAGES: Final = [
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("packages/*/README.md")),
]
UNCHECKED: Final = {"text", "", "console", "css", "jsx", "ts", "tsx", "vue", "html"}
"""Languages without a parser at hand; tests/e2e/test_embedding.py runs the code of frameworks."""


@cache
def blocks(*languages: str) -> list[Block]:
    """Return the blocks in one of these languages."""
    return [
        block
        for page in PAGES
        for block in code_blocks(
            page.relative_to(ROOT).as_posix(), page.read_text(encoding="utf-8")
        )
        if block.language in languages or not languages
    ]


def _yaml(text: str) -> None:
    yaml.safe_load(re.sub(r"!(reset|override)\b", "", text))  # the tags of compose files


def _bash(text: str) -> None:
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        raise ValueError(done.stderr)


def _json(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        for line in filter(None, text.splitlines()):
            json.loads(line)


def _ini(text: str) -> None:
    ConfigParser(strict=False, interpolation=None).read_string(text)


PARSERS: Final[dict[str, Callable[[str], object]]] = {
    "sh": _bash,
    "bash": _bash,
    "python": ast.parse,
    "json": _json,
    "yaml": _yaml,
    "toml": tomllib.loads,
    "ini": _ini,
}


def test_every_language_is_checked_or_listed() -> None:
    """A block in another language needs a parser here, or a reason."""
    known = PARSERS.keys() | UNCHECKED | {"js"}
    assert [f"{block}: {block.language}" for block in blocks() if block.language not in known] == []


@pytest.mark.parametrize("language", sorted(PARSERS))
def test_the_code_can_be_parsed(language: str) -> None:
    """Nobody copies a block with a missing quote."""
    offenders = []
    for block in blocks(language):
        try:
            PARSERS[language](block.text)
        except (ValueError, SyntaxError, yaml.YAMLError) as error:
            offenders.append(f"{block}: {error}")
    assert offenders == []


def test_the_javascript_can_be_parsed(tmp_path: Path) -> None:
    """As a module, all of it by one Node.js."""
    program = tmp_path / "parse.mjs"
    program.write_text(
        "import { SourceTextModule } from 'node:vm';\n"
        "let text = '';\n"
        "for await (const part of process.stdin) text += part;\n"
        "for (const [name, code] of JSON.parse(text)) {\n"
        "  try { new SourceTextModule(code) } catch (error) { console.log(`${name}: ${error}`) }\n"
        "}\n"
    )
    found = [(str(block), block.text) for block in blocks("js")]
    assert found
    done = subprocess.run(
        [find_node(), "--experimental-vm-modules", "--no-warnings", program],
        input=json.dumps(found),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""


def test_a_page_that_shows_html_closes_what_it_opens() -> None:
    """A page of one's own is copied as a whole."""

    class Reader(HTMLParser):
        open: list[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in {"meta", "link", "img", "br", "input", "hr"}:
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    for block in blocks("html"):
        reader = Reader()
        reader.open = []
        reader.feed(block.text)
        assert reader.open == [], str(block)
