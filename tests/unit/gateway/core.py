"""The parts of a gateway below its transport, put together as the process does it."""

from collections.abc import Callable

from contract.topics import Topics
from contract.updates import Update
from gateway.fanout.dispatcher import Dispatcher
from gateway.metrics import GatewayMetrics, ObservedState
from gateway.state.history import History
from gateway.state.mqtt_consumer import MqttConsumer
from gateway.state.presence import Instant, PresenceTracker, SignOfLife
from gateway.state.state_store import Change, StateStore
from runtime.clocks import unix_ms
from runtime.mqtt import Message
from runtime.queue_aware_clock import Clock

TOPICS = Topics("pillow")


class GatewayCore:
    """A gateway without a broker, a server or connections; its pillows never expire by default."""

    def __init__(
        self,
        *,
        clock: Callable[[], int] = unix_ms,
        monotonic: Callable[[], int] | None = None,
        max_pillows: int = 1000,
        expire_after_ms: int = 1 << 40,
        history_bytes: int = 10_000,
    ) -> None:
        self.clock = Clock(clock, monotonic or clock)
        self.metrics = GatewayMetrics()
        self.store = StateStore("ep")
        self.history = History(history_bytes)
        self.presence = PresenceTracker(
            self.store, self.history, expire_after_ms=expire_after_ms, max_pillows=max_pillows
        )
        self.metrics.observe(
            ObservedState(
                lambda: len(self.store),
                lambda: self.presence.silent_count,
                lambda: self.history.size_bytes,
                lambda: self.clock.read().queue_offset_ms,
            )
        )
        self.dispatcher = Dispatcher(self.store, self.metrics, self.clock)
        self.consumer = MqttConsumer(
            self.presence, self.dispatcher, TOPICS, self.metrics, self.clock
        )

    def receive(
        self,
        topic: str,
        payload: bytes,
        *,
        retained: bool = False,
        expiry_s: int | None = None,
        properties: bytes = b"",
    ) -> None:
        """Process a message as if the broker had sent it."""
        self.consumer.receive(Message(topic, payload, retained, expiry_s, properties))

    def receive_state(
        self, given: Update, *, retained: bool = False, expiry_s: int | None = None
    ) -> None:
        """Process a state as if the broker had sent it."""
        topic = TOPICS.state(given.pillow)
        self.receive(topic, given.payload, retained=retained, expiry_s=expiry_s)

    def put(self, given: Update) -> Change:
        """Store a state as seen now, without publishing it."""
        now = Instant(0, self.clock.wall_ms())
        (change,) = self.presence.receive(given, SignOfLife(0), now).changes
        return change

    def count(self, name: str, **labels: str) -> float:
        """Return the value of a metric; 0 when it has none yet."""
        return self.metrics.registry.get_sample_value(f"pillowcast_gateway_{name}", labels) or 0.0
