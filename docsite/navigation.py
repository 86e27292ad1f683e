"""Which pages the site's navigation lacks. Pure."""

import re
from collections.abc import Iterable
from typing import Final

_ENTRY: Final = re.compile(r"^ +- .+: (\S+\.md)$", re.MULTILINE)


def pages_without_entry(configuration: str, pages: Iterable[str]) -> list[str]:
    """Return the pages of docs/ that `nav` in mkdocs.yml does not list."""
    return sorted(set(pages) - set(_ENTRY.findall(configuration)))
