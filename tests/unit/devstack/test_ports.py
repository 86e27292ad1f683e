"""Which ports the stack uses, and which it refuses."""

import argparse
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack import ports
from devstack.errors import CannotStart
from devstack.ports import Ports


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])
def taken(request: pytest.FixtureRequest) -> Iterator[int]:
    """A port on which a server listens, on loopback or on every address."""
    with socket.create_server((request.param, 0)) as server:
        yield server.getsockname()[1]


@given(st.integers(0, 65535))
def test_a_port_from_0_to_65535_is_accepted(port: int) -> None:
    assert ports.parse(str(port)) == port


@pytest.mark.parametrize("text", ["", "-1", "65536", "http", "1 2", "٣", "8080.0"])
def test_anything_else_is_refused_with_its_value(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a port"):
        ports.parse(text)


def test_each_0_becomes_another_free_port() -> None:
    settled = ports.settle(Ports())

    found = {settled.gateway, settled.mqtt, settled.queue, settled.poller, settled.ops}

    assert len(found) == 5
    assert all(ports.FREE_FROM <= port < ports.FREE_BELOW for port in found)


def test_a_free_port_is_not_chosen_twice_before_something_listens_on_it() -> None:
    assert len({ports.free() for _ in range(200)}) == 200


def test_a_given_port_is_kept() -> None:
    wanted = ports.free()

    assert ports.settle(Ports(mqtt=wanted)).mqtt == wanted


def test_a_preferred_port_is_kept_unless_it_is_taken_or_another_part_has_it(taken: int) -> None:
    wanted = ports.free()

    assert ports.preferred(wanted, ()) == wanted
    assert ports.preferred(wanted, (8080, wanted)) == 0
    assert ports.preferred(taken, ()) == 0


def test_a_taken_port_is_refused_with_its_purpose_and_option(taken: int) -> None:
    with pytest.raises(CannotStart) as refusal:
        ports.settle(Ports(mqtt=taken))

    assert str(refusal.value) == (
        f"port {taken} for the MQTT broker is taken; "
        "choose another with --mqtt-port (0 for a free one)"
    )


def test_one_port_for_two_purposes_is_refused() -> None:
    port = ports.free()

    with pytest.raises(CannotStart, match="given twice, for the page and for the queue"):
        ports.settle(Ports(gateway=port, queue=port))
