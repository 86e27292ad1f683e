"""Checks of the services: which instances run, what each says of itself, versions and clocks."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from gateway.ops.limit_reports import LimitReport
from ops.doctor.subject import Subject
from ops.endpoints import Endpoint
from ops.findings import Findings
from ops.service_client import NoAnswer, ServiceView, fetch, look
from runtime.health import OK, is_ok, limitation_of
from runtime.version import version_of

MAX_SKEW_S: Final = 5.0
"""By how much two clocks may differ; the queue's has a resolution of a second."""

IN_EFFECT: Final = "(in effect)"
"""Ends the line of a setting that a running service has."""


async def check_services(endpoint: Endpoint, subject: Subject, found: Findings) -> None:
    """Check each instance behind an endpoint."""
    views = await look(endpoint)
    for view in views:
        if view.error is not None:
            _add_error(view, view.error, subject, found)
        else:
            _add_view(view, found)
            if endpoint.service == "gateway":
                await _add_limits(view, found)
    _add_twins(views, found)


def _add_error(view: ServiceView, error: NoAnswer, subject: Subject, found: Findings) -> None:
    endpoint = view.endpoint
    settings = subject.poller if endpoint.service == "poller" else subject.gateway
    default = settings is None or endpoint.setting not in {
        type(settings).model_fields[name].alias for name in settings.model_fields_set
    }
    if "of this version" in str(error) and not error.is_foreign:
        advice = f"install version {version_of('ops')} of the {endpoint.service}, as everywhere"
    elif "gives no answer" in str(error):
        advice = (
            f"look at the log and the load of the {endpoint.service}, or of what has its port; "
            "restart it if it hangs"
        )
    elif error.is_foreign:
        advice = f"another program has the port: stop it, or set {endpoint.setting} to a free one"
    else:
        advice = (
            f"start the {endpoint.service}; if it runs elsewhere, name it: --{endpoint.service}"
        )
        if default and not endpoint.is_given:
            advice += f" http://HOST:{endpoint.port}, or set {endpoint.setting}"
    found.wrong(str(endpoint), str(error), advice)


def _add_view(view: ServiceView, found: Findings) -> None:
    about, ready = view.about, view.ready
    assert about is not None
    assert ready is not None
    found.ok(view.name, f"runs for {about.uptime_s:.0f} s at {view.endpoint}")
    own = version_of("ops")
    if about.version == own:
        found.ok(f"{view.name}: version", own)
    else:
        found.wrong(
            f"{view.name}: version",
            f"{about.version}; this command is of {own}",
            "install one version everywhere",
        )
    for name, state in ready.dependencies.items():
        limitation = limitation_of(state)
        if not is_ok(state):
            found.wrong(f"{view.name}: {name}", state, _dependency_advice(name))
        elif limitation.startswith("standby: "):
            found.ok(f"{view.name}: {name}", limitation)
        elif limitation:
            found.wrong(f"{view.name}: {name}", limitation, _limitation_advice(limitation))
        else:
            found.ok(f"{view.name}: {name}", OK)
    for unknown in about.ignored:
        advice = f"write {unknown.meant}" if unknown.meant else "remove it"
        found.wrong(f"{view.name}: {unknown.variable}", "is no setting, and is ignored", advice)
    for report in about.settings:
        if report.is_set:
            found.ok(f"{view.name}: {report.name}", f"{report.value or 'unset'} {IN_EFFECT}")
    _add_clocks(view, found)


def _dependency_advice(name: str) -> str:
    return {
        "mqtt": "start the broker, or correct MQTT_URL and the password of that service",
        "queue": "correct what the sentence names, in the poller's environment",
    }.get(name, "")


def _limitation_advice(limitation: str) -> str:
    if "instance name" in limitation:
        return "give each process an INSTANCE of its own"
    if "journal" in limitation:
        return "make room on the disk of POLLER_JOURNAL, or make it writable"
    if "coordinate" in limitation:
        return "let the poller's user write and read <TOPIC_PREFIX>/bridge/poller/active/+"
    return "see docs/operating.md"


def _add_clocks(view: ServiceView, found: Findings) -> None:
    about = view.about
    assert about is not None
    if abs(view.clock_skew_s) > MAX_SKEW_S:
        found.wrong(
            f"{view.name}: clock",
            f"differs by {view.clock_skew_s:+.1f} s from this machine's",
            "start the time service (NTP) on both machines",
        )
    else:
        found.ok(f"{view.name}: clock", f"agrees with this machine's ({view.clock_skew_s:+.1f} s)")
    offset_s = about.queue_offset_s
    if offset_s is not None and abs(offset_s) > MAX_SKEW_S:
        found.wrong(
            f"{view.name}: queue's time",
            f"its clock differs by {-offset_s:+.1f} s from the queue's",
            "start the time service (NTP) on that machine",
        )


async def _add_limits(view: ServiceView, found: Findings) -> None:
    try:
        limits = await fetch(view.endpoint, "/ops/limits", list[LimitReport])
    except NoAnswer as error:
        found.unknown(f"{view.name}: limits", str(error))
        return
    near = [one for one in limits if one.is_near]
    for one in near:
        found.wrong(
            f"{view.name}: {one.what}", f"{one.used:,} of {one.size or 0:,}", f"raise {one.setting}"
        )
    if not near:
        found.ok(f"{view.name}: limits", "none is near")


def _add_twins(views: Sequence[ServiceView], found: Findings) -> None:
    names = Counter(view.about.instance for view in views if view.about is not None)
    for name, count in names.items():
        if count > 1:
            found.wrong(
                f"instance {name}",
                f"{count} processes have this name",
                "give each process an INSTANCE of its own",
            )
