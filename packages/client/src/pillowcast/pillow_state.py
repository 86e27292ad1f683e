"""States of pillows, and their order."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

StateName = Literal[
    "neutral", "hugging", "punching", "shaking", "spinning", "throwing", "notconnected"
]
"""The states that this version knows; a newer gateway may send another text."""

STATES: Final[tuple[str, ...]] = get_args(StateName)

_PILLOW_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_TIMESTAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def is_pillow_id(value: object) -> bool:
    """Return whether a value is a valid id. `bridge` is none: it is the topic of the services."""
    return isinstance(value, str) and bool(_PILLOW_ID.fullmatch(value)) and value != "bridge"


@dataclass(frozen=True, slots=True, order=True)
class Instant:
    """A point in time, with as many digits as it was written with."""

    seconds: int
    fraction: str

    @property
    def ms(self) -> float:
        """Milliseconds since 1970."""
        return self.seconds * 1000 + float(f"0.{self.fraction or 0}") * 1000


def instant(text: object) -> Instant | None:
    """Return the instant of an RFC 3339 timestamp; None of anything else."""
    match = _TIMESTAMP.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    offset = "+00:00" if zone in ("Z", "z") else zone
    try:
        whole = datetime.fromisoformat(f"{day}T{clock}{offset}")
        seconds = int((whole - _EPOCH).total_seconds())
    except (ValueError, OverflowError):
        return None
    # Without trailing zeros the digits of two fractions have the order of the fractions.
    return Instant(seconds, (fraction or "").rstrip("0"))


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class State:
    """What a pillow did, as its gateway sent it."""

    pillow: str
    state: str
    fields: Mapping[str, Any] = field(repr=False)
    """All fields as they were sent, also those that this version does not know."""
    instant: Instant | None = field(repr=False, compare=False)
    """When it was true; None if `at` is no timestamp."""

    @property
    def at(self) -> datetime | None:
        """When it was true, in UTC to the microsecond; None if `at` is no timestamp."""
        if self.instant is None:
            return None
        micros = int(self.instant.fraction[:6].ljust(6, "0"))
        return datetime.fromtimestamp(self.instant.seconds, UTC).replace(microsecond=micros)

    @property
    def seq(self) -> int:
        """What orders states of equal `at`; 0 if it has none."""
        seq = self.fields.get("seq")
        return seq if isinstance(seq, int) and not isinstance(seq, bool) else 0

    @property
    def battery(self) -> float | None:
        """From 0 to 1; None if the pillow does not say."""
        return _share(self.fields.get("battery"))

    @property
    def confidence(self) -> float | None:
        """From 0 to 1; None if the pillow does not say."""
        return _share(self.fields.get("confidence"))

    @property
    def last(self) -> str | None:
        """Of a silent pillow: its last state."""
        return _text(self.fields.get("last"))

    @property
    def clock(self) -> str | None:
        """`ahead` or `behind` if the pillow's clock is wrong by minutes or more."""
        return _text(self.fields.get("clock"))

    def is_older_than(self, known: "State") -> bool:
        """Return whether it is strictly older than `known`, by `at` and then `seq`."""
        if self.instant is None or known.instant is None:
            return False
        return (self.instant, self.seq) < (known.instant, known.seq)


def _share(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= 1 else None  # type: ignore[arg-type,operator]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Update:
    """A new state of a pillow, or its removal."""

    pillow: str
    current: State | None
    """None if the pillow was removed."""
    previous: State | None = field(repr=False)
    """The state before; None if none was known."""
    cursor: str | None = field(repr=False)
    """From which another client resumes once this update was handled; None within a first
    snapshot, which must be received again as a whole."""

    @property
    def state(self) -> str | None:
        """The name of the state; None if the pillow was removed."""
        return None if self.current is None else self.current.state

    @property
    def removed(self) -> bool:
        """Whether the pillow was removed."""
        return self.current is None

    @property
    def at(self) -> datetime | None:
        """When the state was true; None if it is not known, or the pillow was removed."""
        return None if self.current is None else self.current.at

    @property
    def seq(self) -> int:
        """What orders states of equal `at`."""
        return 0 if self.current is None else self.current.seq

    @property
    def fields(self) -> Mapping[str, Any]:
        """All fields of the state as they were sent; empty if the pillow was removed."""
        return {} if self.current is None else self.current.fields
