"""Endpoints: where the services' own ports are."""

import asyncio
import socket
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import urlsplit

from gateway.settings import GatewaySettings
from notifier.settings import NotifierSettings
from poller.settings import PollerSettings
from runtime.settings import SettingsError

Service = Literal["poller", "gateway", "notifier"]

_EVERY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}
"""What a service is bound to or called, and where this machine reaches it."""

_PORTS: Final[dict[Service, int]] = {"poller": 8081, "gateway": 8082, "notifier": 8083}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The port of a service that answers operators; `is_given` if a person named it."""

    service: Service
    host: str
    port: int
    is_given: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def setting(self) -> str:
        """The setting of the port."""
        return "GATEWAY_OPS_PORT" if self.service == "gateway" else f"{self.service.upper()}_PORT"


def parse_endpoint(service: Service, url: str) -> Endpoint:
    """Return the endpoint that a person named; raises SettingsError."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        port = parts.port or _PORTS[service]
    except ValueError:
        port = 0
    if parts.scheme != "http" or not parts.hostname or not port or parts.path not in ("", "/"):
        raise SettingsError(f"--{service} = {url!r}: write it like http://{service}:{port or 8081}")
    return Endpoint(service, parts.hostname, port, is_given=True)


def notifier_endpoint(settings: NotifierSettings) -> Endpoint:
    """Return where a notifier with these settings answers on this machine."""
    return _on_this_machine("notifier", settings.host, settings.port)


def poller_endpoint(settings: PollerSettings) -> Endpoint:
    """Return where a poller with these settings answers on this machine."""
    return _on_this_machine("poller", settings.host, settings.port)


def gateway_endpoint(settings: GatewaySettings) -> Endpoint:
    """Return where a gateway with these settings answers operators on this machine."""
    return _on_this_machine("gateway", settings.ops_host, settings.ops_port)


def page_of(settings: GatewaySettings | None) -> str:
    """Return the gateway's public address on this machine."""
    if settings is None:
        return "http://127.0.0.1:8080"
    return str(_on_this_machine("gateway", settings.host, settings.port))


def _on_this_machine(service: Service, bound_to: str, port: int) -> Endpoint:
    return Endpoint(service, _EVERY_ADDRESS.get(bound_to, bound_to), port)


async def addresses_of(endpoint: Endpoint) -> list[Endpoint]:
    """Return an endpoint for each address of the name: a scaled service has several.

    Raises OSError if the name has none.
    """
    host = _EVERY_ADDRESS.get(endpoint.host, endpoint.host)
    found = await asyncio.get_running_loop().getaddrinfo(
        host, endpoint.port, type=socket.SOCK_STREAM
    )
    # One family alone, because each instance has an address in both.
    family = min(one[0] for one in found)
    hosts = sorted({str(one[4][0]) for one in found if one[0] == family})
    return [replace(endpoint, host=one) for one in hosts]


async def by_address(url: str) -> str:
    """Return an http:// URL with the address in place of the name.

    A gateway answers under the names of GATEWAY_ALLOWED_HOSTS, and under every address.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return url
    endpoint = Endpoint("gateway", parts.hostname, parts.port or 80)
    try:
        found = (await addresses_of(endpoint))[0]
    except OSError:
        return url  # the connection says what is wrong
    return f"{found}{parts.path}"
