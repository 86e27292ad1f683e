"""Facts about one pillow: what each part of the way knows of it, and when. Values only."""

from dataclasses import dataclass, field

from contract.updates import Update
from gateway.ops.pillow_report import PillowReport as GatewayReport
from ops.explain.ages import ago
from poller.ops.pillow_report import PillowReport as PollerReport


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter that names the pillow: its id, why, and how old it is in seconds."""

    id: str
    reason: str
    detail: str
    age_s: float


@dataclass(slots=True)
class QueueFacts:
    """Both queues; `error` is why nothing is known. Ages in seconds.

    `waiting_s` are the ages of the pillow's messages among the first 32 that no poller has taken.
    """

    error: str | None = None
    count: int | None = None
    oldest_s: float = 0.0
    waiting_s: list[float] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)


@dataclass(slots=True)
class BrokerFacts:
    """What the broker retains; `error` is why nothing is known."""

    error: str | None = None
    state: Update | None = None
    invalid: str | None = None
    availability: str | None = None
    online: dict[str, list[str]] = field(default_factory=dict)
    offline: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class PollerFacts:
    """What one poller knows; `troubles` are its dependencies that fail, by name."""

    name: str
    error: str | None = None
    troubles: dict[str, str] = field(default_factory=dict)
    report: PollerReport | None = None


@dataclass(slots=True)
class GatewayFacts:
    """What one gateway shows; `refusal` is what it answers to the token that was given."""

    name: str
    error: str | None = None
    troubles: dict[str, str] = field(default_factory=dict)
    report: GatewayReport | None = None
    refusal: str | None = None


@dataclass(slots=True)
class Facts:
    """Everything that is known of a pillow; `now_ms` is this machine's clock.

    `similar` are known pillows with a name like it, where nobody knows it.
    """

    pillow: str
    now_ms: int
    queue: QueueFacts | None = None
    broker: BrokerFacts | None = None
    pollers: list[PollerFacts] = field(default_factory=list)
    gateways: list[GatewayFacts] = field(default_factory=list)
    similar: list[str] = field(default_factory=list)

    @property
    def state(self) -> Update | None:
        """The state that the broker retains."""
        return self.broker.state if self.broker is not None else None

    @property
    def poller_reports(self) -> list[PollerReport]:
        """What the pollers say that gave an answer."""
        return [one.report for one in self.pollers if one.report is not None]

    @property
    def gateway_reports(self) -> list[GatewayReport]:
        """What the gateways say that gave an answer."""
        return [one.report for one in self.gateways if one.report is not None]

    def since(self, at_ms: int) -> str:
        """Return how long ago a moment was, in words."""
        return ago((self.now_ms - at_ms) / 1000)
