"""About: which process answers on an ops port, its version, clock and settings."""

import platform
from collections.abc import Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.clocks import monotonic_s, unix_ms
from runtime.settings import CommonSettings
from runtime.settings_report import (
    SettingReport,
    UnknownVariable,
    report_settings,
    report_unknown,
)
from runtime.version import version_of

ABOUT_PATH: Final = "/ops/about"


class About(msgspec.Struct, frozen=True):
    """What a service says of itself; `clock_ms` is its wall clock in Unix milliseconds.

    `queue_offset_s` is what has to be added to that clock to get the queue's time; None while it
    is not known.
    """

    service: str
    instance: str
    version: str
    python: str
    uptime_s: float
    clock_ms: int
    broker: str
    topic_prefix: str
    settings: list[SettingReport]
    ignored: list[UnknownVariable]
    queue_offset_s: float | None = None


def about_route(
    service: str, settings: CommonSettings, queue_offset_s: Callable[[], float | None]
) -> Route:
    """Return the route that says which process this is."""
    started_s = monotonic_s()
    # The environment of a process does not change, and no setting does.
    reports, ignored = report_settings(settings), report_unknown(type(settings))

    async def about(_request: Request) -> Response:
        document = About(
            service,
            settings.instance,
            version_of(service),
            platform.python_version(),
            round(monotonic_s() - started_s, 3),
            unix_ms(),
            str(settings.broker),
            settings.topic_prefix,
            reports,
            ignored,
            queue_offset_s(),
        )
        return Response(msgspec.json.encode(document), media_type="application/json")

    return Route(ABOUT_PATH, about)
