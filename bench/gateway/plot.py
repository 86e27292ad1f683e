"""A bar chart of a run as SVG."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

_ROW_HEIGHT: Final = 26
_LEFT: Final = 150
_MAX_WIDTH: Final = 420
_COLOUR: Final = {"Pillowcast": "#3b7dd8", "C limit": "#9aa5b1"}

Chart = tuple[str, Sequence[tuple[str, float, str]]]
"""A title, and for each bar its name, its length and its label."""


def draw(path: Path, charts: Sequence[Chart]) -> None:
    """Write the charts below each other; each has its own scale."""
    parts, top = [], 10
    for title, bars in charts:
        parts.append(f'<text x="10" y="{top + 16}" font-weight="bold">{escape(title)}</text>')
        top += 28
        longest = max((length for _, length, _ in bars), default=1) or 1
        for name, length, label in bars:
            width = max(1, round(length / longest * _MAX_WIDTH))
            colour = _COLOUR.get(name, "#d7a86e")
            parts.append(
                f'<text x="{_LEFT - 8}" y="{top + 16}" text-anchor="end">{escape(name)}</text>'
                f'<rect x="{_LEFT}" y="{top + 3}" width="{width}" height="{_ROW_HEIGHT - 8}" '
                f'fill="{colour}"/>'
                f'<text x="{_LEFT + width + 6}" y="{top + 16}">{escape(label)}</text>'
            )
            top += _ROW_HEIGHT
        top += 16
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{_LEFT + _MAX_WIDTH + 140}" height="{top}" '
        'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>'
        f"{''.join(parts)}</svg>\n"
    )
