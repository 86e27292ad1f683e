"""The provider of spans: OpenTelemetry's SDK, its exporters, and what they report of themselves."""

import asyncio
import os
import threading
from contextlib import suppress
from importlib.metadata import entry_points
from typing import Final

from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from runtime.tracing.export_health import MonitoredExporter, watch_library
from runtime.tracing.settings import TracingSettings
from runtime.tracing.tracer import Tracer
from runtime.version import version_of

STOP_S: Final = 3.0
"""How long a stop waits for the last spans, in seconds."""

_GROUP: Final = "opentelemetry_traces_exporter"
_PACKAGES: Final = {
    "otlp_proto_http": "opentelemetry-exporter-otlp-proto-http",
    "otlp_proto_grpc": "opentelemetry-exporter-otlp-proto-grpc",
    "azure_monitor_opentelemetry_exporter": "azure-monitor-opentelemetry-exporter",
}


class SpanProvider:
    """Records spans and sends them, in a thread of the SDK."""

    def __init__(self, service: str, settings: TracingSettings) -> None:
        """Raises ImportError where the package of an exporter is missing."""
        exporters = {name: _exporter_type(name, settings) for name in settings.exporters}
        # The SDK reads its settings from there; those of files are not there yet.
        os.environ.update(settings.variables())
        # Else the exporter for Azure Monitor reports about itself to Microsoft, and writes spans
        # that it cannot send into a folder.
        os.environ.setdefault("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
        own = {
            "service.name": service,
            "service.namespace": "pillowcast",
            "service.instance.id": settings.instance,
            "service.version": version_of(service),
        }
        resource = Resource.create(own).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._records = watch_library()
        self._exporters = [
            MonitoredExporter(name, make(**_arguments(name)), self._records)
            for name, make in exporters.items()
        ]
        for exporter in self._exporters:
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer: Tracer = Tracer(self._provider.get_tracer("pillowcast", version_of(service)))

    def dropped(self) -> dict[str, int]:
        """Return how many spans were dropped, by the reason."""
        return {
            "queue-full": self._records.dropped,
            "not-sent": sum(exporter.dropped for exporter in self._exporters),
        }

    async def stop(self) -> None:
        """Send what was recorded; what is not sent within STOP_S is lost."""
        # A daemon, because the end of the process must not wait for a collector that is silent.
        loop, sent = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(sent.set)

        threading.Thread(target=shut_down, name="last spans", daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await sent.wait()
                return
        for exporter in self._exporters:
            exporter.shutdown()  # which ends its attempts


def _exporter_type(name: str, settings: TracingSettings) -> type[SpanExporter]:
    """Return an installed exporter's class; `otlp` is the one for the protocol."""
    if name == "otlp":
        name = "otlp_proto_grpc" if settings.otel_protocol == "grpc" else "otlp_proto_http"
    for found in entry_points(group=_GROUP, name=name):
        loaded: type[SpanExporter] = found.load()
        return loaded
    raise ImportError(f"no exporter is named {name}", name=_PACKAGES.get(name, name))


def _arguments(name: str) -> dict[str, bool]:
    return {"disable_offline_storage": True} if name.startswith("azure_monitor") else {}
