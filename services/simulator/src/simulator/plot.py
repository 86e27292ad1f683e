"""A plot of a trace as SVG: x, y and z over time, and what the classifier says below it."""

from collections.abc import Sequence
from math import ceil
from typing import Final

from contract.states import STATES
from simulator.model.space import Vector

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 720, 260, 44, 30, 44
_AXES: Final = (("x", "#d1495b"), ("y", "#2e8b57"), ("z", "#30638e"))


def plot(
    samples: Sequence[Vector], hz: int, states: Sequence[tuple[float, str]], title: str
) -> str:
    """Draw samples, `hz` a second from 0 s on; `states` are what was said from which time on."""
    length_s = len(samples) / hz
    low = min(-1.0, *(min(one) for one in samples))
    high = max(1.0, *(max(one) for one in samples))
    step = next(one for one in (0.5, 1, 2, 4, 8) if (high - low) / one <= 7)
    right = _WIDTH - 16

    def across(t: float) -> float:
        return round(_LEFT + (right - _LEFT) * t / length_s, 1)

    def up(g: float) -> float:
        return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - g) / (high - low), 1)

    size = f'width="{_WIDTH}" height="{_HEIGHT}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {size} '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="{title}">'
    )
    parts = [
        head,
        f'<rect {size} fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" font-weight="bold" fill="#222">{title}</text>',
    ]
    for place, (name, color) in enumerate(_AXES):
        at = right - 90 + 34 * place
        parts.append(f'<text x="{at}" y="18" font-weight="bold" fill="{color}">{name}</text>')
    level = ceil(low / step) * step
    while level <= high:
        y = up(level)
        parts.append(
            f'<path d="M{_LEFT} {y}H{right}" stroke="{"#999" if level == 0 else "#e5e5e5"}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end" fill="#555">{level:g} g</text>'
        )
        level += step
    parts += [
        f'<text x="{across(second)}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle" '
        f'fill="#555">{second} s</text>'
        for second in range(int(length_s) + 1)
    ]
    for axis, (_, color) in enumerate(_AXES):
        points = " ".join(
            f"{across(place / hz)},{up(one[axis])}" for place, one in enumerate(samples)
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.4"/>'
        )
    ends = [*(from_s for from_s, _ in states[1:]), length_s]
    for (from_s, state), until_s in zip(states, ends, strict=True):
        x, width = across(from_s), across(until_s) - across(from_s)
        parts.append(
            f'<rect x="{x}" y="{_HEIGHT - 20}" width="{round(width, 1)}" height="16" '
            f'fill="{STATES[state].color}"/>'
        )
        if width > 54:
            parts.append(
                f'<text x="{x + 5}" y="{_HEIGHT - 8}" fill="#fff" font-weight="bold">{state}</text>'
            )
    return "\n".join([*parts, "</svg>", ""])
