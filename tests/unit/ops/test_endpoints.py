"""Where the services' ports are, by their settings or as a person names them."""

import asyncio
import socket

import pytest

from gateway.settings import GatewaySettings
from ops.endpoints import (
    Endpoint,
    addresses_of,
    gateway_endpoint,
    page_of,
    parse_endpoint,
    poller_endpoint,
)
from poller.settings import PollerSettings
from runtime.settings import SettingsError


def test_a_service_that_listens_everywhere_is_reached_on_loopback() -> None:
    poller = PollerSettings.load(POLLER_HOST="0.0.0.0", POLLER_PORT=9081)
    gateway = GatewaySettings.load(GATEWAY_OPS_HOST="::", GATEWAY_OPS_PORT=9082)

    assert str(poller_endpoint(poller)) == "http://127.0.0.1:9081"
    assert str(gateway_endpoint(gateway)) == "http://[::1]:9082"


@pytest.mark.parametrize(
    ("bound_to", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:9080"),
        ("::", "http://[::1]:9080"),
        ("fd00::2", "http://[fd00::2]:9080"),
        ("10.0.0.7", "http://10.0.0.7:9080"),
    ],
)
def test_the_public_address_is_one_that_this_machine_reaches(bound_to: str, url: str) -> None:
    assert page_of(GatewaySettings.load(GATEWAY_HOST=bound_to, GATEWAY_PORT=9080)) == url
    assert page_of(None) == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://gateway:9000", "http://gateway:9000"),
        ("gateway", "http://gateway:8082"),
        ("10.0.0.7:8082/", "http://10.0.0.7:8082"),
    ],
)
def test_a_url_is_read_as_people_write_it(url: str, shown: str) -> None:
    assert str(parse_endpoint("gateway", url)) == shown


@pytest.mark.parametrize(
    "url", ["https://gateway", "http://:8", "http://x:99999", "http://x/y", ""]
)
def test_what_is_no_url_of_a_port_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"--poller = .*write it like http://poller"):
        parse_endpoint("poller", url)


async def test_a_name_with_several_addresses_stands_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Loop:
        async def getaddrinfo(self, *_arguments: object, **_named: object) -> list[object]:
            return [
                (family, socket.SOCK_STREAM, 6, "", (address, 8081))
                for family, address in (
                    (socket.AF_INET6, "fd00::2"),
                    (socket.AF_INET, "10.0.0.3"),
                    (socket.AF_INET, "10.0.0.2"),
                )
            ]

    monkeypatch.setattr(asyncio, "get_running_loop", Loop)
    found = await addresses_of(Endpoint("poller", "poller", 8081))

    assert [one.host for one in found] == ["10.0.0.2", "10.0.0.3"]
