"""A plot of a motion trace as SVG: x, y and z over time, and the reported states below."""

from collections.abc import Sequence
from math import ceil
from typing import Final

from contract.states import STATES
from simulator.model.vectors import Vector

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 720, 260, 44, 30, 44
_RIGHT: Final = _WIDTH - 16
_SIZE: Final = f'width="{_WIDTH}" height="{_HEIGHT}"'
_AXES: Final = (("x", "#d1495b"), ("y", "#2e8b57"), ("z", "#30638e"))


def plot(
    samples: Sequence[Vector], hz: int, states: Sequence[tuple[float, str]], title: str
) -> str:
    """Return an SVG of samples in g at `hz` samples a second, the first at 0 s.

    `states` are the reported states, each with the time in seconds at which it begins.
    """
    scale = _Scale(samples, hz)
    return "\n".join(
        [
            *_header(title),
            *scale.grid(),
            *_lines(samples, hz, scale),
            *_state_bar(states, scale),
            "</svg>",
            "",
        ]
    )


class _Scale:
    """Converts seconds and g into coordinates of the plot."""

    def __init__(self, samples: Sequence[Vector], hz: int) -> None:
        self.length_s = len(samples) / hz
        self._low_g = min(-1.0, *(min(sample) for sample in samples))
        self._high_g = max(1.0, *(max(sample) for sample in samples))

    def x(self, t: float) -> float:
        """Return the horizontal position of a time."""
        return round(_LEFT + (_RIGHT - _LEFT) * t / self.length_s, 1)

    def y(self, g: float) -> float:
        """Return the vertical position of a force."""
        height = _HEIGHT - _TOP - _BOTTOM
        return round(_TOP + height * (self._high_g - g) / (self._high_g - self._low_g), 1)

    def grid(self) -> list[str]:
        """Return the grid lines and the labels of both axes."""
        span_g = self._high_g - self._low_g
        step_g = next(step for step in (0.5, 1, 2, 4, 8) if span_g / step <= 7)
        parts = []
        level_g = ceil(self._low_g / step_g) * step_g
        while level_g <= self._high_g:
            y = self.y(level_g)
            color = "#999" if level_g == 0 else "#e5e5e5"
            parts.append(
                f'<path d="M{_LEFT} {y}H{_RIGHT}" stroke="{color}"/>'
                f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end" fill="#555">'
                f"{level_g:g} g</text>"
            )
            level_g += step_g
        parts += [
            f'<text x="{self.x(second)}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle" '
            f'fill="#555">{second} s</text>'
            for second in range(int(self.length_s) + 1)
        ]
        return parts


def _header(title: str) -> list[str]:
    """Return the opening tag, the background, the title and the legend."""
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_SIZE} '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="{title}">'
    )
    parts = [
        opening,
        f'<rect {_SIZE} fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" font-weight="bold" fill="#222">{title}</text>',
    ]
    for index, (name, color) in enumerate(_AXES):
        x = _RIGHT - 90 + 34 * index
        parts.append(f'<text x="{x}" y="18" font-weight="bold" fill="{color}">{name}</text>')
    return parts


def _lines(samples: Sequence[Vector], hz: int, scale: _Scale) -> list[str]:
    parts = []
    for axis, (_, color) in enumerate(_AXES):
        points = " ".join(
            f"{scale.x(index / hz)},{scale.y(sample[axis])}" for index, sample in enumerate(samples)
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.4"/>'
        )
    return parts


def _state_bar(states: Sequence[tuple[float, str]], scale: _Scale) -> list[str]:
    parts = []
    ends = [*(from_s for from_s, _ in states[1:]), scale.length_s]
    for (from_s, state), until_s in zip(states, ends, strict=True):
        x, width = scale.x(from_s), scale.x(until_s) - scale.x(from_s)
        parts.append(
            f'<rect x="{x}" y="{_HEIGHT - 20}" width="{round(width, 1)}" height="16" '
            f'fill="{STATES[state].color}"/>'
        )
        # A narrower rectangle has no room for the longest name.
        if width > 54:
            parts.append(
                f'<text x="{x + 5}" y="{_HEIGHT - 8}" fill="#fff" font-weight="bold">{state}</text>'
            )
    return parts
