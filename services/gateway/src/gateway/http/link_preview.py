"""Link preview: what other sites show of a link to the page, by the Open Graph protocol. Pure.

Their programs run no script and read no fragment: only the address and the first response count.
"""

from collections.abc import Sequence
from html import escape
from typing import Final

NAME: Final = "Pillowcast"
PICTURE: Final = "icons/shared.png"
"""A PNG, because no site shows an SVG; services/gateway/draw_icons.py draws it."""

PICTURE_TEXT: Final = "Three clouds: one is dizzy, one holds a heart tight, one smiles."
PICTURE_SIZE: Final = (1200, 630)


def page_title(pillow: str | None) -> str:
    """Return the title of the page; of one that shows a pillow, with its name."""
    return NAME if pillow is None else f"{pillow} · {NAME}"


def preview_head(pillows: Sequence[str], name: str | None, address: str | None) -> str:
    """Return the title and the elements of a link preview, for the page's head.

    `pillows` are the ids that the address names, `name` is what the only one of them is called, and
    `address` is the gateway's URL: without one there are no further elements.
    """
    title = escape(page_title(name))
    if address is None:
        return f"<title>{title}</title>"
    query = "&".join(f"pillow={pillow}" for pillow in pillows)
    properties = {
        "type": "website",
        "site_name": NAME,
        "title": title,
        "url": escape(f"{address}?{query}" if query else address),
        "image": escape(f"{address}{PICTURE}"),
        "image:width": str(PICTURE_SIZE[0]),
        "image:height": str(PICTURE_SIZE[1]),
        "image:alt": PICTURE_TEXT,
    }
    elements = [f'<meta property="og:{key}" content="{text}">' for key, text in properties.items()]
    return "\n  ".join(
        [
            f"<title>{title}</title>",
            *elements,
            '<meta name="twitter:card" content="summary_large_image">',
        ]
    )
