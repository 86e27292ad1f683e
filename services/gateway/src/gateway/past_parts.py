"""The parts of the past: memory, and the recorder's database where there is one."""

from functools import partial
from typing import TYPE_CHECKING

from starlette.routing import Route

from gateway.http.activity_api import activity_routes
from gateway.http.api import all_in_memory
from gateway.http.guard import Guard
from gateway.http.past_api import past_routes
from gateway.http.today_api import today_routes
from gateway.metrics import GatewayMetrics
from gateway.past.fallback import PastWithFallback
from gateway.past.memory import MemoryPast
from gateway.state.history import History
from gateway.state.state_store import StateStore
from history.settings import HistorySettings
from runtime.queue_aware_clock import Clock

if TYPE_CHECKING:
    from gateway.past.database import DatabasePast


class Past:
    """Where past states are told from."""

    def __init__(
        self, settings: HistorySettings, history: History, clock: Clock, metrics: GatewayMetrics
    ) -> None:
        self.memory = MemoryPast(history, clock)
        self._history = history
        self._clock = clock
        self._database = _database(settings)
        self._states = PastWithFallback(self._database, self.memory, metrics.history_up)

    def routes(self, store: StateStore, guard: Guard) -> list[Route]:
        """Return the routes of the past; a request sees what `guard` permits."""
        past, clock = self._states, self._clock
        in_memory = partial(all_in_memory, store, self._history)
        return [
            *past_routes(past, guard, clock, in_memory),
            *activity_routes(past, guard, clock),
            *today_routes(past, guard, clock),
        ]

    async def close(self) -> None:
        """Close the connections to the database."""
        if self._database is not None:
            await self._database.close()


def _database(settings: HistorySettings) -> "DatabasePast | None":
    if settings.history is None:
        return None
    # Imported here, because its library takes 19 MiB of memory and a fifth of a second to load.
    from gateway.past.database import DatabasePast

    return DatabasePast(settings.history)
