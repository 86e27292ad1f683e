"""What a rules file says once it is checked: rules and destinations. Pure."""

from dataclasses import dataclass, field
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from contract.pillow_patterns import PillowPatterns

Trigger = Literal["state", "offline", "dead-letter", "queue"]
TRIGGERS: Final = get_args(Trigger)

BodyFormat = Literal["cloudevents", "ntfy", "slack", "teams"]
FORMATS: Final = get_args(BodyFormat)

MAX_RULES: Final = 200
MAX_DESTINATIONS: Final = 50
"""Each has a request of its own under way at most, and a place in the metrics."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is told to whom.

    `lasts_s` is the key `for`, `longer_than` or `older_than`, whichever the trigger has.
    """

    name: str
    on: Trigger
    to: tuple[str, ...]
    pillows: PillowPatterns
    states: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    lasts_s: float = 0.0
    at_most_every_s: float = 0.0
    also_back: bool = False
    text: str | None = None

    @property
    def lasts_ms(self) -> int:
        """The same in whole milliseconds."""
        return round(self.lasts_s * 1000)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where requests are posted, and how. The URL and what signs are secrets.

    `ca` are certificates (PEM) of authorities that are trusted instead of the system's.
    """

    name: str
    url: str = field(repr=False)
    format: BodyFormat = "cloudevents"
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    token: str | None = field(default=None, repr=False)
    allows_private: bool = False
    ca: str | None = field(default=None, repr=False)
    timeout_s: float = 15.0
    give_up_after_s: float = 86_400.0
    retry_max_s: float = 300.0

    @property
    def host(self) -> str:
        """The host, for people: the rest of the URL may be a secret."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules, and the destinations that they name. `secrets` are texts never to be shown."""

    rules: tuple[Rule, ...]
    destinations: dict[str, Destination]
    secrets: tuple[str, ...] = field(default=(), repr=False)
