"""What paho packs and names for us, read again by paho."""

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from runtime.mqtt.config import Subscription
from runtime.mqtt.properties import (
    connect_advice,
    connect_properties,
    publish_properties,
    reason_name,
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


def test_the_largest_packet_accepted_is_announced() -> None:
    """As Maximum Packet Size."""
    assert connect_properties(1000).MaximumPacketSize == 1000  # type: ignore[attr-defined]


def test_a_subscription_of_mqtt_3_1_1_has_filters_with_qos_1() -> None:
    """There is nothing else to say there; the own status is the last."""
    subscription = Subscription(("a/#", "b"), no_local=True, skip_retained=True)

    assert subscribe_topics(subscription, "s", v5=False) == [("a/#", 1), ("b", 1), ("s", 1)]


def test_own_publishes_come_back_only_on_the_own_status_with_no_local() -> None:
    """It is read back; QoS 1 and retained messages as asked."""
    topics = dict(subscribe_topics(Subscription(("a",), no_local=True), "s", v5=True))

    assert (topics["a"].noLocal, topics["s"].noLocal) == (True, False)
    assert (topics["a"].QoS, topics["a"].retainHandling) == (1, 0)


def test_retained_messages_are_left_out_where_asked() -> None:
    """Retain Handling 2, for every filter."""
    topics = dict(subscribe_topics(Subscription(("a",), skip_retained=True), "s", v5=True))

    assert [one.retainHandling for one in topics.values()] == [2, 2]


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
