"""Pillow reports: what this poller knows of a pillow."""

from contract.timestamps import format_timestamp
from poller.ops.pillow_report import PillowReport
from poller.publish.journaled_writes import JournaledWrites
from poller.publish.ordered_publisher import OrderedPublisher
from poller.publish.signs_of_life import SignsOfLife
from poller.settle.settlement import Settlement


class PillowReports:
    """Reports on pillows."""

    def __init__(
        self,
        last_writes: JournaledWrites,
        signs_of_life: SignsOfLife,
        publisher: OrderedPublisher,
        settlement: Settlement,
    ) -> None:
        self._last_writes = last_writes
        self._superseded = signs_of_life.notes
        self._publisher = publisher
        self.dead_letters = settlement.recent_dead_letters

    def report(self, pillow: str) -> PillowReport:
        """Return what is known of a pillow."""
        newest = self._last_writes.get(pillow)
        return PillowReport(
            pillow,
            newest is not None,
            None if newest is None else newest.state,
            None if newest is None else format_timestamp(newest.order[0]),
            None if newest is None else newest.queued_ms,
            None if newest is None else newest.published_ms,
            self._publisher.refusal_of(pillow),
            self._superseded.of(pillow),
            self.dead_letters.of(pillow),
        )
