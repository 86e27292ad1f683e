"""What paho packs and names for us, read again by paho."""

import pytest
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from runtime.mqtt.packets import Message, user_property
from runtime.mqtt.properties import (
    connect_advice,
    connect_properties,
    publish_properties,
    reason_name,
    received_message,
    subscribe_topics,
)


def test_publish_properties_are_packed_with_their_length() -> None:
    """Format, content type, expiry and every user property."""
    packed = publish_properties("application/json", 60, (("traceparent", "00-1"), ("a", "b")))
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    _, size = properties.unpack(packed)  # type: ignore[no-untyped-call]

    assert size == len(packed)
    assert properties.json() == {  # type: ignore[no-untyped-call]
        "PayloadFormatIndicator": 1,
        "ContentType": "application/json",
        "MessageExpiryInterval": 60,
        "UserProperty": [("traceparent", "00-1"), ("a", "b")],
    }


def test_publish_properties_that_are_not_given_are_left_out() -> None:
    """All but the format, which is always UTF-8."""
    assert publish_properties(None, None, ()) == b"\x02\x01\x01"


@pytest.mark.parametrize("size", [1, 100, 20_000])
@pytest.mark.parametrize("retained", [True, False])
def test_a_message_that_paho_has_read_has_its_properties(size: int, retained: bool) -> None:
    """Packed without their length, however many bytes that has; the expiry of a retained one."""
    packed = publish_properties(None, 60, (("a", "b" * size),))
    read = MQTTMessage(topic=b"t")
    read.payload, read.retain = b"x", retained
    read.properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    read.properties.unpack(packed)  # type: ignore[no-untyped-call]

    message = received_message(read)

    assert message[:4] == ("t", b"x", retained, 60 if retained else None)
    assert packed.endswith(message.properties)
    assert user_property(message.properties, "a") == "b" * size


def test_a_message_of_mqtt_3_1_1_has_no_properties() -> None:
    """As paho reads it."""
    read = MQTTMessage(topic=b"t")
    read.payload = b"x"

    assert received_message(read) == Message("t", b"x", False)


def test_the_largest_packet_accepted_is_announced() -> None:
    """As Maximum Packet Size."""
    assert connect_properties(1000).MaximumPacketSize == 1000  # type: ignore[attr-defined]


def test_a_subscription_of_mqtt_3_1_1_has_filters_with_qos_1() -> None:
    """There is nothing else to express."""
    topics = subscribe_topics(("a/#", "b"), v5=False, no_local=True, skip_retained=True)

    assert topics == [("a/#", 1), ("b", 1)]


def test_a_subscription_of_mqtt_5_has_qos_1_and_the_options_asked_for() -> None:
    """Retain Handling 2 sends no retained messages."""
    ((_, plain),) = subscribe_topics(("a",), v5=True)
    ((_, asked),) = subscribe_topics(("a",), v5=True, no_local=True, skip_retained=True)

    assert (plain.QoS, plain.noLocal, plain.retainHandling) == (1, False, 0)
    assert (asked.QoS, asked.noLocal, asked.retainHandling) == (1, True, 2)


@pytest.mark.parametrize(
    ("reason", "name"), [(0x87, "Not authorized"), (0x97, "Quota exceeded"), (0xFF, "reason 255")]
)
def test_a_reason_code_has_the_name_of_the_specification(reason: int, name: str) -> None:
    """A number where it has none."""
    assert reason_name(reason) == name


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (0x86, "; check the user and password in MQTT_URL"),
        (0x87, "; check the user and password in MQTT_URL"),
        (0x84, "; set MQTT_PROTOCOL to a version that it supports"),
        (0x88, ""),
    ],
)
def test_a_refused_connection_names_the_setting_that_mends_it(reason: int, advice: str) -> None:
    """Nothing where no setting would, as with a server that is busy."""
    assert connect_advice(reason) == advice
