"""Link preview: what other sites show of a link to the page, by the Open Graph protocol. Pure.

Their programs run no script and read no fragment: only the address and the first response count.
"""

from collections.abc import Sequence
from html import escape
from typing import Final

from gateway.http.texts import Texts

NAME: Final = "Pillowcast"
PICTURE: Final = "icons/shared.png"
"""A PNG, because no site shows an SVG; services/gateway/draw_icons.py draws it."""

PICTURE_SIZE: Final = (1200, 630)


def page_title(pillow: str | None) -> str:
    """Return the title of the page; of one that shows a pillow, with its name."""
    return NAME if pillow is None else f"{pillow} · {NAME}"


def preview_head(
    pillows: Sequence[str], name: str | None, address: str | None, texts: Texts
) -> str:
    """Return the title and the elements of a link preview, for the page's head.

    `pillows` are the ids that the address names, `name` is what the only one of them is called, and
    `address` is the gateway's URL: without one there are no further elements. `texts` are those of
    the visitor's language.
    """
    title = escape(page_title(name))
    if address is None:
        return f"<title>{title}</title>"
    query = "&".join(f"pillow={pillow}" for pillow in pillows)
    properties = {
        "type": "website",
        "site_name": NAME,
        "title": title,
        "description": texts.for_html("page.description"),
        "url": escape(f"{address}?{query}" if query else address),
        "image": escape(f"{address}{PICTURE}"),
        "image:width": str(PICTURE_SIZE[0]),
        "image:height": str(PICTURE_SIZE[1]),
        "image:alt": texts.for_html("page.preview-picture"),
    }
    elements = [f'<meta property="og:{key}" content="{text}">' for key, text in properties.items()]
    return "\n  ".join(
        [
            f"<title>{title}</title>",
            *elements,
            '<meta name="twitter:card" content="summary_large_image">',
        ]
    )
