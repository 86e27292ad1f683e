"""The parts of the past: memory, and the recorder's database where there is one."""

from starlette.routing import Route

from gateway.history_settings import HistorySettings
from gateway.http.api import all_in_memory
from gateway.http.guard import Guard
from gateway.http.past_api import past_routes
from gateway.metrics import GatewayMetrics
from gateway.past.memory import MemoryPast
from gateway.past.recorded import DatabasePast, PastWithFallback
from gateway.state.history import History
from gateway.state.state_store import StateStore
from history.database import open_database
from history.reading import HistoryReader
from runtime.queue_aware_clock import Clock


class Past:
    """Where past states are told from. The database is connected to with the first request."""

    def __init__(
        self, settings: HistorySettings, history: History, clock: Clock, metrics: GatewayMetrics
    ) -> None:
        self.memory = MemoryPast(history, clock)
        self._history = history
        self._clock = clock
        self._engine = None
        database = None
        if settings.history is not None:
            self._engine = open_database(settings.history, read_only=True)
            database = DatabasePast(HistoryReader(self._engine))
        self._states = PastWithFallback(database, self.memory, metrics.history_up)

    def routes(self, store: StateStore, guard: Guard) -> list[Route]:
        """Return the routes of the past; a request sees what `guard` permits."""
        return past_routes(
            self._states, guard, self._clock, lambda name: all_in_memory(store, self._history, name)
        )

    async def close(self) -> None:
        """Close the connections to the database."""
        if self._engine is not None:
            await self._engine.dispose()
