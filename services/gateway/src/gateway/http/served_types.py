"""Served types: the declarations of the modules for other sites, for programs that import by URL.

A module's response names its declarations in `X-TypeScript-Types`. Deno and some editors read it.
"""

import re
from typing import Final

MEDIA_TYPE: Final = "application/typescript; charset=utf-8"

_DECLARATIONS: Final = {
    "pillowcast.js": "./client/types/pillowcast.d.ts",
    "embed.js": "./client/element.d.ts",
}
"""The declarations of each module, by a URL relative to that of the module."""

_SPECIFIER: Final = re.compile(rb'((?:from |import\()"\./[\w/]+)\.js"')


def as_served(source: bytes) -> bytes:
    """Return declarations whose imports name declarations, because a URL is not resolved further.

    In the npm package they name modules, beside which a compiler finds the declarations.
    """
    return _SPECIFIER.sub(rb'\1.d.ts"', source)


def types_header(name: str) -> dict[str, str]:
    """Return the header that names a module's declarations; nothing for one that has none."""
    declarations = _DECLARATIONS.get(name)
    return {} if declarations is None else {"X-TypeScript-Types": declarations}
