"""The provider: the SDK with the exporters that are asked for."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from runtime.tracing import provider as provider_module
from runtime.tracing.provider import STOP_S, SpanProvider
from runtime.tracing.settings import TracingSettings
from runtime.tracing.tracer import Kind
from tests.otlp import AZURE_PATH, collector
from tests.waiting import until


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def sending() -> bool:
    """Return whether a thread waits for a collector."""
    return any(thread.name == "last spans" for thread in threading.enumerate())


def provider(**variables: Any) -> SpanProvider:
    """Return a provider with these settings."""
    return SpanProvider("poller", TracingSettings.load(**variables))


async def test_spans_are_sent_with_the_service_and_the_last_ones_at_the_stop() -> None:
    """A name and attributes of one's own go before; the header has a key."""
    with collector() as collected:
        made = provider(
            OTEL_EXPORTER_OTLP_ENDPOINT=collected.url,
            OTEL_EXPORTER_OTLP_HEADERS="x-key=abc",
            OTEL_SERVICE_NAME="clouds",
        )
        made.tracer.start("process", Kind.CONSUMER, None, 1, {}).end(2)
        await made.stop()

    (span,) = collected.spans
    assert (span.service, span.name) == ("clouds", "process")
    assert collected.headers[0]["x-key"] == "abc"


async def test_a_share_of_the_traces_is_recorded() -> None:
    """As the usual variables say."""
    with collector() as collected:
        made = provider(
            OTEL_EXPORTER_OTLP_ENDPOINT=collected.url,
            OTEL_TRACES_SAMPLER="parentbased_traceidratio",
            OTEL_TRACES_SAMPLER_ARG="0.5",
        )
        for _ in range(200):
            made.tracer.start("process", Kind.CONSUMER, None, 1, {}).end(2)
        await made.stop()

    assert 50 < len(collected.spans) < 150
    assert {span.service for span in collected.spans} == {"poller"}


async def test_a_collector_that_is_silent_delays_the_stop_by_a_few_seconds_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it does not take is lost, and the line says so."""
    monkeypatch.setattr(provider_module, "STOP_S", 0.2)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.5")
    with socket.create_server(("127.0.0.1", 0)) as silent, capture_logs():
        made = provider(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{silent.getsockname()[1]}")
        made.tracer.start("process", Kind.CONSUMER, None, 1, {}).end(2)
        began_s = time.monotonic()
        await made.stop()
        assert 0.2 <= time.monotonic() - began_s < STOP_S
        await until(lambda: not sending(), "the thread that sends spans ends")


@pytest.mark.parametrize(
    ("variables", "missing"),
    [
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            },
            "opentelemetry-exporter-otlp-proto-grpc",
        ),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "zipkin"),
    ],
)
def test_a_missing_exporter_is_named(variables: dict[str, str], missing: str) -> None:
    """By its package, where that is known."""
    with pytest.raises(ImportError) as caught:
        provider(**{name: _typed(name, value) for name, value in variables.items()})
    assert caught.value.name == missing


def _typed(name: str, value: str) -> object:
    return tuple(value.split(",")) if name == "OTEL_TRACES_EXPORTER" else value


async def test_one_variable_sends_spans_to_azure_monitor() -> None:
    """To the ingestion endpoint of the connection string, and nowhere else."""
    with collector() as ingestion:
        made = provider(
            APPLICATIONINSIGHTS_CONNECTION_STRING="InstrumentationKey=00000000-0000-0000-0000-"
            f"000000000001;IngestionEndpoint={ingestion.url}/"
        )
        made.tracer.start("process", Kind.CONSUMER, None, 1, {}).end(2)
        with capture_logs():
            await made.stop()

    assert [path for path, _ in ingestion.requests] == [AZURE_PATH]
    assert b"00000000-0000-0000-0000-000000000001" in ingestion.requests[0][1]
    assert os.environ["APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL"] == "true"
