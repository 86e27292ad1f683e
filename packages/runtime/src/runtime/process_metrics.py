"""The metrics that every service has: its version, readiness, rights, resources and event loop."""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, disable_created_metrics

from runtime.event_loop_lag import EventLoopLag
from runtime.health import Dependencies, is_ready
from runtime.process_resources import ProcessResources

BUILD_LABELS: Final = ("version", "python")


@contextmanager
def process_metrics(
    service: str, registry: CollectorRegistry, dependencies: Dependencies
) -> Iterator[None]:
    """Register them, and measure the event loop that runs now, until the end of the block."""
    # A sample `…_created` beside each counter would double the text, and tells the start only.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    build = Gauge(
        f"pillowcast_{service}_build_info",
        "1, with the versions of the service and of Python.",
        BUILD_LABELS,
        registry=registry,
    )
    build.labels(version(f"pillowcast-{service}"), platform.python_version()).set(1)
    _observe(
        f"pillowcast_{service}_ready",
        "1 while /readyz answers 200, else 0.",
        lambda: is_ready(dependencies()),
        registry,
    )
    _observe(
        f"pillowcast_{service}_runs_as_root",
        "1 if the process runs as root, else 0.",
        _runs_as_root,
        registry,
    )
    ProcessResources(registry)
    with EventLoopLag(f"pillowcast_{service}_event_loop_lag_seconds", registry):
        yield


def _observe(name: str, text: str, read: Callable[[], float], registry: CollectorRegistry) -> None:
    Gauge(name, text, registry=registry).set_function(read)


def _runs_as_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0
