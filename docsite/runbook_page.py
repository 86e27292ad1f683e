"""The run-book as a page of Prometheus, which alerts link to: python -m docsite.runbook_page.

Prometheus shows the HTML files in its folder of consoles; a test compares this one with its source.
"""

import re
from pathlib import Path
from typing import Final

import markdown

ROOT: Final = Path(__file__).parent.parent
SOURCE: Final = ROOT / "docs" / "runbook.md"
PAGE: Final = ROOT / "deploy" / "observability" / "prometheus" / "consoles" / "runbook.html"

_HEAD: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Pillowcast: run-book</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem }
pre { overflow-x: auto }
h2 { border-top: 1px solid; margin-top: 2rem; padding-top: 1rem }
:target { background: #ffd54a66 }
</style>
<!-- generated from docs/runbook.md by: python -m docsite.runbook_page -->
"""

_OTHER_PAGE: Final = re.compile(r"\[([^\]]+)\]\(([a-z]+\.md)[^)]*\)")
"""A link to another page of the documentation, which Prometheus does not have."""


def render(text: str) -> str:
    """Return the page of a run-book in Markdown."""
    assert "{{" not in text, "Prometheus would take it for a template"
    text = _OTHER_PAGE.sub(_named, text)
    body = markdown.markdown(text, extensions=["fenced_code", "toc", "sane_lists"])
    return f"{_HEAD}{body}\n"


def _named(link: re.Match[str]) -> str:
    text, page = link.groups()
    return f"docs/{page}" if text == page else f"{text} (docs/{page})"


def main() -> None:
    """Write the page."""
    PAGE.write_text(render(SOURCE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
