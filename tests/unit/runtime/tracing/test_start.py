"""Starting traces: nothing where nobody asks, and one clear line where something is missing."""

import asyncio
import subprocess
import sys

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from devstack import ports
from runtime.tracing.settings import TracingSettings
from runtime.tracing.start import Tracing, start_tracing
from tests.otlp import collector

BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Block())
from runtime.logs import configure_logs
from runtime.tracing.settings import TracingSettings
from runtime.tracing.start import start_tracing
configure_logs("gateway", level="info", style="json")
assert start_tracing("gateway", TracingSettings.load()).tracer is None
"""


def test_nothing_is_imported_where_nobody_asks() -> None:
    """So that it costs nothing, whether it is installed or not."""
    code = (
        "import sys; from runtime.tracing.settings import TracingSettings;"
        "from runtime.tracing.start import start_tracing;"
        "assert start_tracing('poller', TracingSettings.load()).tracer is None;"
        "sys.exit('opentelemetry' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_where_the_packages_are_missing_one_line_says_what_to_install() -> None:
    """And the service goes on without traces."""
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED],
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"},
        capture_output=True,
        text=True,
        check=True,
    )

    (line,) = done.stderr.splitlines()
    assert '"event": "no traces are recorded, because a package is missing"' in line
    assert "pillowcast-gateway[otel]" in line
    assert '"missing": "opentelemetry' in line


def test_a_missing_exporter_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the package."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317")
    with capture_logs() as lines:
        assert start_tracing("gateway", TracingSettings.load()).tracer is None

    (line,) = lines
    assert line["missing"] == "opentelemetry-exporter-otlp-proto-grpc"


def test_where_nothing_says_where_traces_go_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name alone sends nothing."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "clouds")
    with capture_logs() as lines:
        assert start_tracing("gateway", TracingSettings.load()).tracer is None

    (line,) = lines
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in line["set_one_of"]


async def test_the_last_spans_are_sent_when_the_service_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when it fails."""

    async def fail() -> None:
        raise ValueError("on purpose")

    with collector() as collected, capture_logs() as lines:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.url)
        tracing = start_tracing("poller", TracingSettings.load())
        assert tracing.tracer is not None
        from runtime.tracing.tracer import Kind

        tracing.tracer.start("process", Kind.CONSUMER, None, 1, {}).end(2)
        with pytest.raises(ValueError, match="on purpose"):
            await tracing.run(fail())

    assert [span.name for span in collected.spans] == ["process"]
    assert [line["event"] for line in lines] == ["traces are recorded"]


async def test_spans_that_are_dropped_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what became of them; without traces the counter stays at 0."""
    registry, plain = CollectorRegistry(), CollectorRegistry()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{ports.free()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    tracing = start_tracing("poller", TracingSettings.load())
    tracing.observe("poller", registry)
    Tracing().observe("gateway", plain)
    assert tracing.tracer is not None
    before = {reason: dropped(registry, "poller", reason) for reason in ("queue-full", "not-sent")}
    assert before["not-sent"] == 0

    async def serve() -> None:
        from runtime.tracing.tracer import Kind

        assert tracing.tracer is not None
        tracing.tracer.start("process", Kind.CONSUMER, None, 1, {}).end(2)

    await tracing.run(serve())

    assert dropped(registry, "poller", "not-sent") == 1
    assert dropped(registry, "poller", "queue-full") == before["queue-full"]
    assert dropped(plain, "gateway", "not-sent") == dropped(plain, "gateway", "queue-full") == 0


def dropped(registry: CollectorRegistry, service: str, reason: str) -> float | None:
    """Return the value of the counter."""
    return registry.get_sample_value(
        f"pillowcast_{service}_spans_dropped_total", {"reason": reason}
    )


async def test_without_traces_a_service_just_runs() -> None:
    """To its end."""
    ended = asyncio.Event()

    async def serve() -> None:
        ended.set()

    await Tracing().run(serve())
    assert ended.is_set()
