"""Keeps the availability of pillows that come by the queue: `online` and `offline` on MQTT.

`Availability` decides; here are the clocks, the broker and the log. How long a pillow is silent is
measured from when its state was put on the queue, by the queue's clock, and then by this machine's
monotonic one.
"""

import asyncio
from functools import partial
from typing import Final

from prometheus_client import Counter

from contract.availability import KEPT_BY, POLLER, WORDS
from contract.topics import Topics
from contract.updates import EXPIRY_S, Update
from poller.presence.availability import Availability, Word
from poller.presence.retained_writer import RetainedWriter
from poller.presence.words_above_limit import Author
from poller.publish.state_publisher import StatePublisher, StateSource
from poller.queue_time import QueueTime
from runtime.mqtt import Message, user_property

CHECK_S: Final = 1.0
"""How often silence is looked for, in seconds. What a poll has brought is published within it."""

MAX_WORDS: Final = 1000
"""How many words a check writes: a whole fleet that falls silent must not delay the states."""


class AvailabilityKeeper:
    """Writes the words that `Availability` decides; a PillowObserver."""

    def __init__(
        self,
        broker: StatePublisher,
        availability: Availability,
        topics: Topics,
        queue_time: QueueTime,
        written: Counter,
    ) -> None:
        self._broker = broker
        self._availability = availability
        self._topics = topics
        self._queue_time = queue_time
        self._caught_up_ms: int | None = None
        self._unknown_ages: dict[str, int] = {}
        """When the retained states of pillows were queued, until the queue's time is known."""

        self._writer = RetainedWriter(
            partial(
                broker.publish_retained, expiry_s=EXPIRY_S, user_properties=((KEPT_BY, POLLER),)
            ),
            "the availability of pillows",
            f"let the poller's user read and write {topics.all_availability}, or set "
            "POLLER_OFFLINE_AFTER=0",
            written,
        )

    def on_caught_up(self, began_s: float) -> None:
        """Note that a poll which began then, by the event loop's clock, emptied the queue."""
        ago_ms = int((asyncio.get_running_loop().time() - began_s) * 1000)
        self._caught_up_ms = self._queue_time.monotonic_ms() - ago_ms

    async def run(self) -> None:
        """Look for silent pillows until cancelled."""
        caught_up_ms = None
        while True:
            await asyncio.sleep(CHECK_S)
            # The check before it: what that poll brought has been published since.
            if caught_up_ms is not None and self._broker.is_ready:
                await self._check(caught_up_ms)
            caught_up_ms = self._caught_up_ms

    async def _check(self, caught_up_ms: int) -> None:
        while self._unknown_ages and self._queue_time.is_known:
            pillow, queued_ms = self._unknown_ages.popitem()
            self._availability.correct(pillow, self._seen_ms(queued_ms))
            if len(self._unknown_ages) % 1000 == 0:
                await asyncio.sleep(0)
        written = 0
        for number, word in enumerate(
            self._availability.due(caught_up_ms, self._queue_time.monotonic_ms()), start=1
        ):
            self._write(word)
            written += word is not None
            if written >= MAX_WORDS:
                return
            if number % 1000 == 0:
                await asyncio.sleep(0)

    # PillowObserver

    def on_connecting(self) -> None:
        """Forget what the broker has, because it sends all of it again."""
        self._availability.begin_connection()
        self._writer.begin_connection()
        self._unknown_ages.clear()

    def on_state(self, update: Update, source: StateSource) -> None:
        """Note that a pillow was awake when its state was put on the queue, or came here."""
        if source == "retained":
            self._on_retained(update)
            return
        now_ms = self._queue_time.monotonic_ms()
        queued_ms, by_queue = update.queued_ms, update.queued_ms is not None
        waited_ms = 0
        if queued_ms is not None and update.published_ms is not None:
            waited_ms = max(0, update.published_ms - queued_ms)
        # The word is written by the poller that publishes the state; where the pillow publishes
        # it, by every poller.
        writes_word = source == "own" or not by_queue
        self._write(
            self._availability.receive_state(
                update.pillow,
                now_ms - waited_ms,
                now_ms if writes_word else None,
                by_queue=by_queue,
            )
        )

    def _on_retained(self, update: Update) -> None:
        """Note a state that the broker had: its age is known when the queue's time is."""
        pillow, queued_ms = update.pillow, update.queued_ms
        by_queue, is_known = queued_ms is not None, self._queue_time.is_known
        seen_ms = self._queue_time.monotonic_ms()
        if queued_ms is not None and is_known:
            seen_ms = self._seen_ms(queued_ms)
        self._availability.receive_state(pillow, seen_ms, None, by_queue=by_queue)
        if queued_ms is not None and not is_known and pillow in self._availability:
            self._unknown_ages[pillow] = queued_ms

    def on_removed(self, pillow: str) -> None:
        """Clear the availability of a pillow that was removed."""
        self._unknown_ages.pop(pillow, None)
        self._write(self._availability.remove(pillow))

    def on_message(self, message: Message) -> None:
        """Note a word that another client wrote."""
        topic = self._topics.parse(message.topic)
        if topic is None or topic.kind != "availability":
            return
        payload = message.payload
        if payload and payload not in WORDS:
            return  # the gateway reports it
        pending = self._writer.pending(message.topic)
        if pending is not None and pending != payload:
            payload = b""  # it is not known which of the two the broker has in the end
        now_ms = self._queue_time.monotonic_ms()
        written_ms = now_ms
        if message.expiry_s is not None:
            written_ms -= max(0, EXPIRY_S - message.expiry_s) * 1000
        self._availability.receive_word(topic.pillow, payload, self._author(message), written_ms)

    def on_ready(self) -> None:
        """Write what the broker lacks, and clear the words of pillows that were removed."""
        self._availability.end_retained()
        if self._broker.delivers_retained:
            for pillow in self._availability.orphans():
                self._write(self._availability.remove(pillow))

    def _author(self, message: Message) -> Author:
        if not self._broker.has_properties:
            return "unknown"
        return "poller" if user_property(message.properties, KEPT_BY) == POLLER else "pillow"

    def _seen_ms(self, queued_ms: int) -> int:
        """Return when a state was queued, on the monotonic clock."""
        age_ms = max(0, self._queue_time.now_ms() - queued_ms)
        return self._queue_time.monotonic_ms() - age_ms

    def _write(self, word: Word | None) -> None:
        if word is not None:
            self._writer.write(self._topics.availability(word.pillow), word.payload)
