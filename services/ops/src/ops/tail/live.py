"""The live view: all feeds together, row by row, until it is stopped."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from azure_queue.settings import QueueSettings
from ops.tail import feeds
from ops.tail.sightings import Row, Seen, Sightings
from runtime.clocks import monotonic_s
from runtime.queue_time import QueueTimeEstimate
from runtime.settings import CommonSettings

SWEEP_S: Final = 0.2
LONG_WAIT_S: Final = 1.0
"""A message that waits for longer on the queue gets a line of its own."""

MAX_REMEMBERED: Final = 1_000


@dataclass(frozen=True, slots=True)
class View:
    """Where to look, and the pillows; none for all."""

    common: CommonSettings
    queues: QueueSettings | None
    page: str
    token: str | None
    pillows: list[str]


@dataclass(frozen=True, slots=True)
class Output:
    """What to do with rows, with messages that wait (text, seconds), and with troubles."""

    row: Callable[[Row], None]
    waits: Callable[[str, float], None]
    trouble: Callable[[str, str | None], None]


class Live:
    """Runs the feeds together, and writes a row for each state."""

    def __init__(self, view: View, output: Output) -> None:
        self._view = view
        self._output = output
        self._sightings = Sightings()
        self._time = QueueTimeEstimate()
        self._troubles: dict[str, str | None] = {}
        self._waiting: dict[str, None] = {}
        self.working = asyncio.Event()
        """Set when MQTT and the gateway both work."""

    async def run(self) -> None:
        """Run until cancelled."""
        view = self._view
        mqtt = partial(feeds.by_mqtt, view.common, view.pillows, self._by_mqtt, self._trouble)
        web = partial(
            feeds.by_websocket, view.page, view.pillows, view.token, self._by_web, self._trouble
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(feeds.repeat("mqtt", mqtt, self._trouble))
            tasks.create_task(feeds.repeat("websocket", web, self._trouble))
            if view.queues is not None:
                queue = partial(feeds.waiting, view.queues, self._on_waiting, self._trouble)
                tasks.create_task(feeds.repeat("queue", queue, self._trouble))
            tasks.create_task(self._sweep())

    def _by_mqtt(self, seen: Seen) -> None:
        now_ms = monotonic_s() * 1000
        if seen.hops.published is not None:
            self._time.observe(seen.pillow, seen.hops.published, int(now_ms))
        self._write(self._sightings.by_mqtt(seen, now_ms, self._time.offset_ms))

    def _by_web(self, seen: Seen) -> None:
        self._write(self._sightings.by_web(seen, monotonic_s() * 1000, self._time.offset_ms))

    def _on_waiting(self, message_id: str, text: str, waited_s: float) -> None:
        if waited_s < LONG_WAIT_S or message_id in self._waiting:
            return
        self._waiting[message_id] = None
        if len(self._waiting) > MAX_REMEMBERED:
            del self._waiting[next(iter(self._waiting))]
        if not self._view.pillows or any(f'"{one}"' in text for one in self._view.pillows):
            self._output.waits(text, waited_s)

    def _trouble(self, name: str, why: str | None) -> None:
        if self._troubles.get(name, "") != why:
            self._troubles[name] = why
            self._output.trouble(name, why)
        if self._troubles.get("mqtt", "") is None and self._troubles.get("websocket", "") is None:
            self.working.set()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            for row in self._sightings.overdue(monotonic_s() * 1000, self._time.offset_ms):
                self._write(row)

    def _write(self, row: Row | None) -> None:
        if row is not None:
            self._output.row(row)
