"""Starting traces: nothing is imported and nothing costs anything where nobody asks for them."""

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

import structlog
from prometheus_client import CollectorRegistry

from runtime.observed_counter import ObservedCounters
from runtime.tracing.settings import AZURE, TracingSettings

if TYPE_CHECKING:
    from runtime.tracing.tracer import Tracer

log = structlog.get_logger()

NONE_DROPPED: Final = {"queue-full": 0, "not-sent": 0}
"""The spans that were dropped, by the reason: more were recorded than could be sent, or the
collector did not take them."""


class Provider(Protocol):
    """What records spans and sends them."""

    @property
    def tracer(self) -> "Tracer":
        """What begins spans."""

    def dropped(self) -> Mapping[str, int]:
        """Return how many spans were dropped, with the keys of NONE_DROPPED."""

    async def stop(self) -> None:
        """Send what was recorded, within a few seconds."""


class Tracing:
    """The traces of a process, if there are any."""

    def __init__(self, provider: Provider | None = None) -> None:
        self._provider = provider

    @property
    def tracer(self) -> "Tracer | None":
        """What begins spans; None where no traces are recorded."""
        return None if self._provider is None else self._provider.tracer

    def observe(self, service: str, registry: CollectorRegistry) -> None:
        """Register the metric of dropped spans; it is read at each scrape."""
        ObservedCounters(
            f"pillowcast_{service}_spans_dropped",
            "Spans of traces that were dropped, by the reason.",
            "reason",
            lambda: NONE_DROPPED if self._provider is None else self._provider.dropped(),
            registry,
        )

    async def run(self, service: Awaitable[None]) -> None:
        """Run a service, and send its last spans when it ends."""
        try:
            await service
        finally:
            if self._provider is not None:
                await self._provider.stop()


def start_tracing(service: str, settings: TracingSettings) -> Tracing:
    """Begin to record spans if the settings ask for it; what is missing for that is one line."""
    if settings.is_unsettled:
        log.warning(
            "no traces are recorded, because nothing says where they go",
            set_one_of=["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER"],
        )
    if not settings.exporters:
        return Tracing()
    try:
        from runtime.tracing.provider import SpanProvider

        provider = SpanProvider(service, settings)
    except ImportError as error:
        extra = "azure-monitor" if AZURE in settings.exporters else "otel"
        log.warning(
            "no traces are recorded, because a package is missing",
            missing=error.name,
            install=f'pip install "pillowcast-{service}[{extra}]", or uv sync --extra {extra}',
        )
        return Tracing()
    log.info("traces are recorded", exporters=list(settings.exporters))
    return Tracing(provider)
