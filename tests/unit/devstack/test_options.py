"""The options of the command: which ports they ask for."""

import socket

import pytest

from devstack import ports
from devstack.options import parse_options, wanted_ports
from devstack.ports import Ports


@pytest.fixture
def ops_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """The default port of the gateway's health and metrics, which is free."""
    port = ports.free()
    monkeypatch.setattr(ports, "DEFAULT", Ports(1, 2, 3, 4, port))
    return port


def test_the_default_ops_port_is_taken_if_it_is_free(ops_port: int) -> None:
    """Another one is not looked for."""
    assert wanted_ports(parse_options([])) == Ports(1, 2, 3, 4, ops_port)


def test_another_ops_port_is_taken_where_the_default_one_is_in_use(ops_port: int) -> None:
    """By another program, or by an option."""
    assert wanted_ports(parse_options(["--gateway-port", str(ops_port)])).ops == 0
    with socket.create_server((ports.HOST, ops_port)):
        assert wanted_ports(parse_options([])).ops == 0


def test_an_ops_port_that_is_given_is_kept(ops_port: int) -> None:
    """If it is in use, the stack says so and does not start."""
    with socket.create_server((ports.HOST, ops_port)):
        assert wanted_ports(parse_options(["--ops-port", str(ops_port)])).ops == ops_port
    assert wanted_ports(parse_options(["--ops-port", "0"])).ops == 0
