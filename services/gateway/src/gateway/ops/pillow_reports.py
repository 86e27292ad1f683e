"""Pillow reports: what this gateway shows of a pillow, and why it is grey."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from contract.states import NOT_CONNECTED, STATES
from contract.timestamps import parse_timestamp
from gateway.ops.pillow_report import PillowPage, PillowReport, RefusedClient
from gateway.ops.why_grey import Presence, why_grey
from gateway.state.mqtt_consumer import MqttConsumer
from gateway.state.presence import PresenceTracker
from gateway.state.state_store import StateStore
from gateway.transport.refusal_reports import RecentRefusal
from runtime.redaction import redact

MAX_EXAMINED: Final = 5_000
"""How many pillows one request for the grey ones looks at; the next request goes on from there."""


class _Shown(msgspec.Struct):
    """What clients see of a pillow, as far as a report has it.

    `last` and `since` are the gateway's own where it tells of silence; a pillow may send anything
    under these names.
    """

    state: str
    at: str | None = None
    last: object = None
    since: object = None

    @property
    def last_state(self) -> str | None:
        """The state before it was not connected."""
        return self.last if isinstance(self.last, str) and self.last in STATES else None

    @property
    def silent_since(self) -> str | None:
        """The date-time since which it is not connected."""
        is_time = isinstance(self.since, str) and parse_timestamp(self.since) is not None
        return str(self.since) if is_time else None


class PillowReports:
    """Reports on the pillows of a gateway."""

    def __init__(
        self,
        store: StateStore,
        presence: PresenceTracker,
        consumer: MqttConsumer,
        expire_after_ms: int,
        refusals: Iterable[RecentRefusal],
    ) -> None:
        self._store = store
        self._presence = presence
        self._consumer = consumer
        self._expire_after_ms = expire_after_ms
        self._refusals = refusals

    def report(self, pillow: str) -> PillowReport:
        """Return what is known of a pillow, or that nothing is, and why."""
        notes = self._consumer.notes.of(pillow)
        refused = refused_clients(one for one in self._refusals if _names(one, pillow))
        known, update = self._presence.known(pillow), self._store.newest(pillow)
        payload = self._store.state(pillow)
        if known is None or update is None or payload is None:
            return PillowReport(pillow, False, notes=notes, refused_clients=refused)
        shown = msgspec.json.decode(payload, type=_Shown)
        silent_ms = max(0, self._consumer.now().ms - known.last_seen_ms)
        presence = Presence(
            shown.state, update.state, silent_ms >= self._expire_after_ms, known.is_offline
        )
        return PillowReport(
            pillow,
            True,
            shown.state,
            shown.last_state if shown.state == NOT_CONNECTED else update.state,
            shown.at,
            shown.silent_since,
            why_grey(presence),
            silent_ms,
            update.queued_ms,
            update.published_ms,
            known.clock_is_behind,
            known.is_offline,
            notes,
            refused,
        )

    def page(self, after: int, limit: int, *, grey_only: bool) -> PillowPage:
        """Return up to `limit` pillows that became known after the one with the number `after`."""
        found: list[PillowReport] = []
        examined = after
        for number, pillow in self._after(after):
            examined = number
            report = self.report(pillow)
            if report.grey is not None or not grey_only:
                found.append(report)
            if len(found) == limit:
                break
        has_more = after < examined < self._store.last_arrival
        return PillowPage(len(self._store), found, examined if has_more else None)

    def _after(self, after: int) -> Iterator[tuple[int, str]]:
        for count, (number, change) in enumerate(self._store.arrivals_after(after)):
            yield number, change.pillow
            if count + 1 == MAX_EXAMINED:
                return


def refused_clients(refusals: Iterable[RecentRefusal]) -> list[RefusedClient]:
    """Return refusals for operators, the newest first."""
    found = [
        RefusedClient(at_ms, refusal.code, redact(refusal.reason), refusal.peer)
        for at_ms, refusal in refusals
    ]
    return found[::-1]


def _names(refused: RecentRefusal, pillow: str) -> bool:
    return f"'{pillow}'" in refused.refusal.reason or f'"{pillow}"' in refused.refusal.reason
