"""The gateway's two ports: which they are, and what is logged of them."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from devstack import ports
from gateway.listeners import Listeners
from gateway.settings import GatewaySettings
from runtime.server import PortUnavailable, url_of


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which something else listens."""
    with socket.create_server((ports.HOST, 0)) as server:
        yield server.getsockname()[1]


def settings(ops_port: int, *, chosen: bool = True, ops_host: str = ports.HOST) -> GatewaySettings:
    """Settings with an ops port, which may be the default."""
    return GatewaySettings.model_construct(
        {"ops_port"} if chosen else set(),
        host=ports.HOST,
        port=0,
        ops_host=ops_host,
        ops_port=ops_port,
    )


def opened_and_logged(given: GatewaySettings) -> tuple[str, list[Any]]:
    """Open both ports and log them; return the URL of the ops port, and the lines."""
    with capture_logs() as logs:
        listeners = Listeners.open(given)
        listeners.log(given)
    with listeners.public, listeners.ops:
        assert logs[-1]["page"] == url_of(listeners.public)
        assert logs[-1]["ops"] == url_of(listeners.ops)
        return url_of(listeners.ops), logs


@pytest.mark.parametrize("port", [0, None])
def test_the_line_that_the_gateway_listens_names_both_addresses(port: int | None) -> None:
    """No other line is written for the port that was wanted, where 0 is any."""
    wanted = ports.free() if port is None else port

    url, logs = opened_and_logged(settings(wanted))

    assert [line["event"] for line in logs] == ["listening"]
    assert url.endswith(f":{wanted}/") or port == 0


def test_a_default_port_in_use_is_replaced_by_a_free_one_and_logged(taken: int) -> None:
    """Two gateways on one machine need no setting."""
    url, logs = opened_and_logged(settings(taken, chosen=False))

    line, _ = logs
    assert line["log_level"] == "warning"
    assert (line["setting"], line["wanted"]) == ("GATEWAY_OPS_PORT", taken)
    assert url == f"http://{ports.HOST}:{line['port']}/"
    assert line["port"] not in (0, taken)


def test_a_chosen_port_in_use_is_an_error_that_names_the_setting(taken: int) -> None:
    """The operator who chose the port expects the gateway on it."""
    with pytest.raises(PortUnavailable, match=f":{taken}: Address already in use; set GATEWAY_OPS"):
        Listeners.open(settings(taken))


@pytest.mark.parametrize("chosen", [False, True])
def test_a_host_of_another_machine_is_an_error_that_names_its_setting(chosen: bool) -> None:
    """No other port helps."""
    with pytest.raises(PortUnavailable, match="set GATEWAY_OPS_HOST to an address"):
        Listeners.open(settings(0, chosen=chosen, ops_host="192.0.2.1"))
