"""The subject of an examination: the settings of each service, and where its port is."""

from dataclasses import dataclass
from typing import Final

from azure_queue.settings import QueueSettings
from gateway.settings import GatewaySettings
from notifier.settings import NotifierSettings
from ops.endpoints import (
    Endpoint,
    gateway_endpoint,
    notifier_endpoint,
    parse_endpoint,
    poller_endpoint,
)
from ops.findings import Findings
from poller.settings import PollerSettings
from runtime.settings import CommonSettings, SettingsError
from runtime.settings_report import report_settings, report_unknown
from simulator.settings import SimulatorSettings

_KINDS: Final[dict[str, type[CommonSettings]]] = {
    "poller": PollerSettings,
    "gateway": GatewaySettings,
    "simulator": SimulatorSettings,
    "notifier": NotifierSettings,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """The settings of this environment, None where they cannot be used; and what they are."""

    poller: PollerSettings | None
    gateway: GatewaySettings | None
    endpoints: tuple[Endpoint, ...]

    @property
    def common(self) -> CommonSettings | None:
        """The settings that every service has."""
        return self.poller or self.gateway

    @property
    def queues(self) -> QueueSettings | None:
        """The settings of the queues."""
        return self.poller


def load_subject(
    poller_url: str | None,
    gateway_url: str | None,
    services: frozenset[str],
    notifier_url: str | None = None,
) -> tuple[Subject, Findings]:
    """Read the environment; return the subject, and what is wrong with the settings.

    `services` are those that are looked at. Raises SettingsError for a URL that is none.
    """
    found = Findings("settings")
    loaded: dict[str, CommonSettings] = {}
    for service, kind in _KINDS.items():
        try:
            loaded[service] = kind.load()
        except SettingsError as error:
            _add_problems(found, service, str(error))
    _add_settings(found, loaded)
    poller, gateway = loaded.get("poller"), loaded.get("gateway")
    assert poller is None or isinstance(poller, PollerSettings)
    assert gateway is None or isinstance(gateway, GatewaySettings)
    endpoints: list[Endpoint] = []
    if "poller" in services and poller_url:
        endpoints.append(parse_endpoint("poller", poller_url))
    elif "poller" in services and poller is not None:
        endpoints.append(poller_endpoint(poller))
    if "gateway" in services and gateway_url:
        endpoints.append(parse_endpoint("gateway", gateway_url))
    elif "gateway" in services and gateway is not None:
        endpoints.append(gateway_endpoint(gateway))
    notifier = loaded.get("notifier")
    assert notifier is None or isinstance(notifier, NotifierSettings)
    if notifier_url:
        endpoints.append(parse_endpoint("notifier", notifier_url))
    elif "notifier" in services and notifier is not None and _is_used(notifier):
        endpoints.append(notifier_endpoint(notifier))
    return Subject(poller, gateway, tuple(endpoints)), found


def _is_used(settings: NotifierSettings) -> bool:
    """Return whether a setting of the notifier is set: it is a service that few have."""
    own = type(settings).model_fields.keys() - CommonSettings.model_fields.keys()
    return not own.isdisjoint(settings.model_fields_set)


def _add_problems(found: Findings, service: str, message: str) -> None:
    """Add each wrong setting; the same of another service is there already."""
    known = {(one.name, one.detail) for one in found.list}
    for line in message.splitlines()[1:]:
        # A deeper line describes the setting above it.
        if line.startswith("   "):
            continue
        name, _, detail = line.strip().partition(" ")
        if (name, detail) not in known:
            found.wrong(name, detail, f"correct it; {service} does not start with it")


def _add_settings(found: Findings, loaded: dict[str, CommonSettings]) -> None:
    for unknown in report_unknown(*_KINDS.values()):
        advice = f"write {unknown.meant}" if unknown.meant else "remove it, or see .env.example"
        found.wrong(unknown.variable, "is no setting, and is ignored", advice)
    names: set[str] = set()
    for service, settings in loaded.items():
        for report in report_settings(settings):
            if report.name in names:
                continue
            names.add(report.name)
            source = "set" if report.is_set else "default"
            found.ok(report.name, f"{report.value or 'unset'} ({source}; {service})")
