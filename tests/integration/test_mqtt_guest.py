"""A guest on a real mosquitto: it reads without a password, and is told what it may not write."""

import pytest

from devstack import ports
from devstack.broker import Broker
from runtime.mqtt import BrokerLost, BrokerUnusable, Guest, Message, SessionLimits
from runtime.settings import CommonSettings
from tests.gateway import connect_publisher, state

PATIENT = SessionLimits(connect_timeout_s=30, connack_timeout_s=30, response_timeout_s=30)
"""For a broker on a busy machine."""


def settings(broker: Broker, **given: object) -> CommonSettings:
    url = f"mqtt://{ports.HOST}:{broker.port}"
    return CommonSettings.load(**{"MQTT_URL": url, **given})


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_guest_without_a_password_gets_what_is_retained(
    broker: Broker, prefix: str, protocol: str
) -> None:
    messages: list[Message] = []
    async with connect_publisher(broker, prefix) as pillows:
        await pillows.publish(state())
        guest = Guest(settings(broker, MQTT_PROTOCOL=protocol), messages.append, limits=PATIENT)
        async with guest.connected():
            await guest.subscribe([f"{prefix}/+/state"])
            await guest.settle()

    assert [one.topic for one in messages] == [f"{prefix}/cloud-1/state"]


async def test_it_is_told_what_it_may_not_write(broker: Broker, prefix: str) -> None:
    guest, poller = (
        Guest(settings(broker), limits=PATIENT),
        Guest(settings(broker, MQTT_URL=broker.url_for("poller")), limits=PATIENT),
    )
    async with guest.connected(), poller.connected():
        refusal = await guest.may_publish(f"{prefix}/_doctor/state")
        allowed = await poller.may_publish(f"{prefix}/_doctor/state")

    assert refusal is not None
    assert "Not authorized" in refusal
    assert allowed is None


async def test_a_wrong_password_and_no_broker_are_told_apart(broker: Broker) -> None:
    url = f"mqtt://poller:no@{ports.HOST}:{broker.port}"
    wrong = Guest(settings(broker, MQTT_URL=url), limits=PATIENT)
    absent = Guest(settings(broker, MQTT_URL=f"mqtt://{ports.HOST}:{ports.free()}"))

    with pytest.raises(BrokerUnusable, match="check the user and password"):
        async with wrong.connected():
            pass
    with pytest.raises(BrokerLost, match="cannot connect"):
        async with absent.connected():
            pass
