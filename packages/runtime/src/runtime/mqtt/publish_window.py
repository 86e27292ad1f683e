"""Publishes that the broker has not acknowledged, and those that wait for one of them to be."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import structlog

from runtime.log_repeats import LogRepeats
from runtime.mqtt.errors import BrokerLost, PublishRefused, PublishTooLarge
from runtime.mqtt.packets import encode_publish
from runtime.mqtt.properties import FAILURE, reason_name

log = structlog.get_logger()

FIRST_PACKET_ID: Final = 1024
"""Lower packet ids are paho's, for its SUBSCRIBE."""

_LAST_PACKET_ID: Final = 65_535


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """What the session and the broker allow."""

    max_in_flight: int
    ack_timeout_s: float
    max_packet_bytes: int | None
    """The broker's Maximum Packet Size; None where it announced none."""


class Publish(NamedTuple):
    """A publish with QoS 1; `properties` are packed."""

    topic: str
    payload: bytes
    retain: bool
    properties: bytes


class _InFlight(NamedTuple):
    acknowledged: asyncio.Future[None]
    deadline: float
    topic: str


class PublishWindow:
    """Sends publishes in order, at most `max_in_flight` of them without an acknowledgement."""

    def __init__(self, send: Callable[[bytes], None], limits: WindowLimits) -> None:
        self.limits = limits
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._in_flight: dict[int, _InFlight] = {}
        self._waiting: deque[tuple[Publish, asyncio.Future[None]]] = deque()
        self._last_id = FIRST_PACKET_ID - 1
        self._acknowledged = 0
        self._oldest: _InFlight | None = None
        self._repeats = LogRepeats()
        self._overtaken = (0, 0.0)
        """For `_oldest`: how many were acknowledged when it became the oldest, and the time since
        when a later one has been acknowledged before it."""

    def publish(self, publish: Publish) -> asyncio.Future[None]:
        """Send now, or when there is room; the future is done when the broker has acknowledged.

        The future raises PublishRefused, or BrokerLost.
        """
        acknowledged: asyncio.Future[None] = self._loop.create_future()
        if self._waiting or len(self._in_flight) >= self.limits.max_in_flight:
            self._waiting.append((publish, acknowledged))
        else:
            self._send_now(publish, acknowledged)
        return acknowledged

    def acknowledge(self, packet_id: int, reason: int) -> None:
        """Complete the publish with this packet id; `reason` is the broker's reason code."""
        sent = self._in_flight.pop(packet_id, None)
        self._acknowledged += 1
        if sent is None:
            if (repeats := self._repeats.due("unknown")) is not None:
                log.warning(
                    "broker acknowledged an unknown publish", packet_id=packet_id, **repeats
                )
            return
        if reason < FAILURE:
            if not sent.acknowledged.done():
                sent.acknowledged.set_result(None)
        else:
            _fail(
                sent.acknowledged,
                PublishRefused(
                    f"the broker refused a publish to {sent.topic} ({reason_name(reason)}); check "
                    "its ACL and the user in MQTT_URL"
                ),
            )
        while self._waiting and len(self._in_flight) < self.limits.max_in_flight:
            self._send_now(*self._waiting.popleft())

    def is_overdue(self, silent_s: float) -> bool:
        """Whether an acknowledgement does not come; `silent_s`: how long nothing has arrived.

        On a slow link it comes behind everything that the broker sent before, so nothing is
        overdue while bytes arrive, unless later publishes are acknowledged all the while.
        """
        # Insertion order is deadline order, so the oldest decides.
        oldest = next(iter(self._in_flight.values()), None)
        now, timeout_s = self._loop.time(), self.limits.ack_timeout_s
        if oldest is not self._oldest:
            self._oldest, self._overtaken = oldest, (self._acknowledged, now)
        if self._acknowledged == self._overtaken[0]:
            self._overtaken = (self._acknowledged, now)
        if oldest is None or now <= oldest.deadline:
            return False
        return silent_s > timeout_s or now - self._overtaken[1] > timeout_s

    def fail(self, error: BrokerLost) -> None:
        """Fail all publishes, because the connection has ended."""
        in_flight, self._in_flight = self._in_flight, {}
        waiting, self._waiting = self._waiting, deque()
        for sent in in_flight.values():
            _fail(sent.acknowledged, error)
        for _, acknowledged in waiting:
            _fail(acknowledged, error)

    def _send_now(self, publish: Publish, acknowledged: asyncio.Future[None]) -> None:
        packet_id = self._next_id()
        try:
            packet = encode_publish(
                publish.topic,
                publish.payload,
                packet_id,
                retain=publish.retain,
                properties=publish.properties,
            )
        except ValueError as error:
            _fail(acknowledged, PublishRefused(str(error)))
            return
        most = self.limits.max_packet_bytes
        if most is not None and len(packet) > most:
            _fail(
                acknowledged,
                PublishTooLarge(
                    f"a publish to {publish.topic} has {len(packet)} bytes; the broker accepts "
                    f"packets of at most {most}; raise its limit"
                ),
            )
            return
        deadline = self._loop.time() + self.limits.ack_timeout_s
        self._in_flight[packet_id] = _InFlight(acknowledged, deadline, publish.topic)
        self._send(packet)

    def _next_id(self) -> int:
        """Return a packet id that is not in flight (MQTT 5 §2.2.1)."""
        packet_id = self._last_id
        while True:
            packet_id = packet_id + 1 if packet_id < _LAST_PACKET_ID else FIRST_PACKET_ID
            if packet_id not in self._in_flight:
                self._last_id = packet_id
                return packet_id


def _fail(acknowledged: asyncio.Future[None], error: Exception) -> None:
    if not acknowledged.done():
        acknowledged.set_exception(error)
        acknowledged.exception()  # retrieved, because nothing may await it
