"""Making a connection ready: subscribe, and wait until all retained messages have arrived."""

import asyncio
import contextlib
from typing import Any, Final

from contract.topics import ONLINE
from runtime.mqtt.config import SessionConfig, Subscription
from runtime.mqtt.connection import Connection
from runtime.mqtt.errors import BrokerLost, BrokerUnusable, PublishRefused
from runtime.mqtt.own_status import STATUS_EXPIRY_S
from runtime.mqtt.packets import Message
from runtime.mqtt.properties import FAILURE, publish_properties, subscribe_topics
from runtime.mqtt.publish_window import Publish
from runtime.mqtt.retained_set import RetainedSet

_PROBE_AGAIN_S: Final = 0.5
"""The delay before a probe that did not arrive is asked for again, because a broker may store a
retained message a moment after it has acknowledged it."""


_PROBE_EXPIRY_S: Final = 3600
"""After how long a broker drops the probe of a session that was killed, in seconds (MQTT 5)."""


class Establishment:
    """One connection on its way to ready; `receive` gets every message that arrives meanwhile."""

    def __init__(
        self,
        config: SessionConfig,
        subscription: Subscription,
        connection: Connection,
        retained_set: RetainedSet,
    ) -> None:
        self._config = config
        self._subscription = subscription
        self._connection = connection
        self._set = retained_set
        self._online: asyncio.Future[None] | None = None
        self.is_contradicted = False
        """Whether the status said otherwise after `online` was published."""
        self._marked = asyncio.Event()
        self._arrived = asyncio.Event()
        self._v5 = config.protocol == "5"

    @property
    def delivers_retained(self) -> bool | None:
        """Whether retained messages reach filters with a wildcard; None where nobody asks."""
        return self._set.delivers_retained if self._subscription.wants_retained else None

    def receive(self, message: Message) -> None:
        """Note a message: a mark, or a retained one."""
        if message.topic == self._config.mark_topic:
            if self._set.receive_mark(message.payload):
                self._marked.set()
        elif message.topic == self._config.status_topic:
            self.is_contradicted = self._online is not None and message.payload != ONLINE
        elif message.retained:
            is_filter = message.topic in self._subscription.filters
            self._set.receive_retained(proves_wildcard=not is_filter)
            self._arrived.set()

    async def run(self) -> None:
        """Subscribe, wait for the retained messages, and publish `online`.

        Raises BrokerLost, or BrokerUnusable with what to change.
        """
        try:
            if self._subscription.wants_retained:
                await self._wait_for(self._publish(self._set.probe, retain=True))
            await self._subscribe()
            await self._await_marks()
            if self._subscription.wants_retained:
                await self._confirm()
                while not (self._set.has_queued or self._set.came_at_once):
                    # A stall of the link looked like the end of a set that came at once.
                    await self._await_marks()
                    await self._confirm()
                if self._set.is_disordered:
                    await self._ask_again()
                self._publish(b"", retain=True)
            self._online = self._connection.publish(
                Publish(self._config.status_topic, ONLINE, True, self._packed(STATUS_EXPIRY_S))
            )
            await self._wait_for(self._online)
        except PublishRefused as error:
            raise BrokerUnusable(str(error)) from None
        except TimeoutError:
            timeout_s = self._config.limits.response_timeout_s
            raise BrokerLost(f"no acknowledgement within {timeout_s:g} s") from None
        except BrokerLost as error:
            # Not the error of a publish, because that one and `last_error` both add the URL.
            reason = self._connection.loss or error
            if not self._connection.was_closed_by_broker:
                raise reason from None
            # Some brokers refuse a publish like this.
            raise BrokerUnusable(
                f"{reason} before the session was ready; if that always happens, the broker's ACL "
                f"does not let the user in MQTT_URL write {self._config.mark_topic} and "
                f"{self._config.status_topic}"
            ) from None

    async def _subscribe(self) -> None:
        """Send SUBSCRIBE and the marks in one write, and check what the broker granted."""
        subscription = self._subscription
        # The marks first, so that a set that is cut short does not hide the probe.
        topics = [
            *subscribe_topics((self._config.mark_filter, self._config.status_topic), v5=self._v5),
            *subscribe_topics(
                subscription.filters,
                v5=self._v5,
                no_local=subscription.no_local,
                skip_retained=subscription.skip_retained,
            ),
        ]
        self._connection.send_subscribe(topics)
        self._connection.publish_direct(self._config.mark_topic, self._set.direct)
        acknowledged = self._publish(self._set.queued)
        await self._check_granted(topics)
        await self._wait_for(acknowledged)

    async def _check_granted(self, topics: list[tuple[str, Any]]) -> None:
        granted = await self._connection.wait_subscribed()
        for (topic, _), code in zip(topics, granted, strict=False):
            if code.value >= FAILURE:
                raise BrokerUnusable(
                    f"the broker refused the subscription to {topic} ({code}); check its ACL"
                )

    async def _await_marks(self) -> None:
        """Wait until the marks behind SUBSCRIBE are back; see `retained_set`."""
        while not self._set.has_queued:
            self._marked.clear()
            if self._set.came_at_once:
                if not await self._marked_or_arrived(self._config.limits.settle_s):
                    return
                continue
            try:
                await self._wait_marked()
            except TimeoutError:
                reason = self._cut_short() if self._set.has_mark else self._no_mark()
                raise BrokerUnusable(reason) from None

    async def _marked_or_arrived(self, timeout_s: float) -> bool:
        """Wait for a mark or a retained message; return False when neither comes in time."""
        self._arrived.clear()
        waits = [asyncio.ensure_future(event.wait()) for event in (self._marked, self._arrived)]
        try:
            done, _ = await asyncio.wait(
                waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            return bool(done)
        finally:
            for wait in waits:
                wait.cancel()

    async def _confirm(self) -> None:
        """Send confirming marks until no retained message arrives before one."""
        if not self._set.delivers_retained:
            await asyncio.sleep(_PROBE_AGAIN_S)
            topics = subscribe_topics((self._config.mark_filter,), v5=self._v5)
            self._connection.send_subscribe(topics)
            await self._check_granted(topics)
        while not self._set.is_confirmed:
            await self._confirm_once()

    async def _confirm_once(self) -> None:
        """Send a confirming mark, and wait until it is back."""
        mark = self._set.next_confirming()
        if self._set.has_queued:
            self._publish(mark)
        else:
            self._connection.publish_direct(self._config.mark_topic, mark)
        while not self._set.confirming_returned:
            self._marked.clear()
            try:
                await self._wait_marked()
            except TimeoutError:
                raise BrokerUnusable(self._no_mark()) from None

    async def _ask_again(self) -> None:
        """Request the retained set again, with QoS 0: see `retained_set`."""
        filters, known = self._subscription.widened, self._set.count
        topics = subscribe_topics(filters, v5=self._v5, qos=0, no_local=self._subscription.no_local)
        self._connection.send_subscribe(topics)
        await self._check_granted(topics)
        # All of them come again, and they may begin after a mark.
        with contextlib.suppress(TimeoutError):
            while self._set.count < 2 * known:
                async with asyncio.timeout(self._config.limits.settle_s):
                    await self._arrived.wait()
                self._arrived.clear()
        while not self._set.is_confirmed:
            await self._confirm_once()
        self._connection.send_unsubscribe(filters)

    def _publish(self, payload: bytes, *, retain: bool = False) -> asyncio.Future[None]:
        properties = self._packed(_PROBE_EXPIRY_S if retain and payload else None)
        return self._connection.publish(
            Publish(self._config.mark_topic, payload, retain, properties)
        )

    def _packed(self, expiry_s: int | None) -> bytes:
        return publish_properties(None, expiry_s, ()) if self._v5 else b""

    async def _wait_marked(self) -> None:
        marked = asyncio.ensure_future(self._marked.wait())
        try:
            await self._wait_for(marked)
        finally:
            marked.cancel()

    async def _wait_for(self, future: "asyncio.Future[Any]") -> None:
        await self._connection.wait_for(future)

    def _cut_short(self) -> str:
        return (
            f"the broker sent {self._set.count} retained messages and discarded the rest: the mark "
            "behind them did not come back; raise its limit of queued messages (mosquitto: "
            "max_queued_messages 0)"
        )

    def _no_mark(self) -> str:
        return (
            f"the session's own mark on {self._config.mark_topic} did not come back, and nothing "
            f"else arrived for {self._config.limits.response_timeout_s:g} s; the broker's ACL must "
            "let the user in MQTT_URL write and read that topic"
        )
