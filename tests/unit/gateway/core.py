"""The parts of a gateway below its transport, put together as the process does it."""

from collections.abc import Callable

from contract.topics import Topics
from contract.updates import Update
from gateway.clock import unix_ms
from gateway.fanout.dispatcher import Dispatcher
from gateway.metrics import GatewayMetrics
from gateway.state.history import History
from gateway.state.mqtt_consumer import MqttConsumer
from gateway.state.presence import PresenceTracker
from gateway.state.state_store import Change, StateStore
from runtime.mqtt import Message

TOPICS = Topics("pillow")


class GatewayCore:
    """A gateway without a broker, a server or connections; its pillows never expire by default."""

    def __init__(
        self,
        *,
        clock: Callable[[], int] = unix_ms,
        expire_after_ms: int = 1 << 40,
        history_bytes: int = 10_000,
    ) -> None:
        self.clock = clock
        self.metrics = GatewayMetrics()
        self.store = StateStore("ep")
        self.history = History(history_bytes)
        self.metrics.observe(
            pillows=lambda: len(self.store), history_bytes=lambda: self.history.size_bytes
        )
        self.presence = PresenceTracker(self.store, self.history, expire_after_ms=expire_after_ms)
        self.dispatcher = Dispatcher(self.store, self.metrics, clock)
        self.consumer = MqttConsumer(self.presence, self.dispatcher, TOPICS, self.metrics, clock)

    def receive(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """Process a message as if the broker had sent it."""
        self.consumer.receive(Message(topic, payload, retained))

    def receive_state(self, given: Update, *, retained: bool = False) -> None:
        """Process a state as if the broker had sent it."""
        self.receive(TOPICS.state(given.pillow), given.payload, retained=retained)

    def put(self, given: Update) -> Change:
        """Store a state as seen now, without publishing it."""
        now_ms = self.clock()
        change = self.presence.receive(given, last_seen_ms=now_ms, now_ms=now_ms, retained=False)
        assert isinstance(change, Change)
        return change

    def count(self, name: str, **labels: str) -> float:
        """Return the value of a metric; 0 when it has none yet."""
        return self.metrics.registry.get_sample_value(f"pillowcast_gateway_{name}", labels) or 0.0
