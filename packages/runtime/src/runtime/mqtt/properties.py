"""MQTT 5 properties, subscription options and reason codes, packed and named by paho."""

import functools
from collections.abc import Sequence
from typing import Any, Final

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from runtime.mqtt.packets import Message

FAILURE: Final = 0x80
"""Reason codes from here on mean failure (MQTT 5 §2.4); SUBACK of MQTT 3.1.1 has this one."""

_DO_NOT_SEND_RETAINED: Final = 2
"""Retain Handling: no retained messages at the time of the subscription (MQTT 5 §3.8.3.1)."""

_CREDENTIALS_REFUSED: Final = frozenset({0x86, 0x87, 0x8C})
"""Bad user name or password, not authorized, bad authentication method."""

_UNSUPPORTED_VERSION: Final = 0x84


def connect_properties(max_packet_bytes: int) -> Properties:
    """Return the properties of a CONNECT that announces the largest packet accepted."""
    properties = _properties(PacketTypes.CONNECT)
    properties.MaximumPacketSize = max_packet_bytes
    return properties


def will_properties(expiry_s: int) -> Properties:
    """Return the properties of a last will that the broker drops after a while."""
    properties = _properties(PacketTypes.WILLMESSAGE)
    properties.MessageExpiryInterval = expiry_s
    return properties


@functools.lru_cache(maxsize=64)
def publish_properties(
    content_type: str | None, expiry_s: int | None, user: tuple[tuple[str, str], ...]
) -> bytes:
    """Pack the properties of a PUBLISH whose payload is UTF-8.

    Cached, because building and packing them costs more than the rest of a publish.
    """
    properties = _properties(PacketTypes.PUBLISH)
    properties.PayloadFormatIndicator = 1
    if content_type is not None:
        properties.ContentType = content_type
    if expiry_s is not None:
        properties.MessageExpiryInterval = expiry_s
    for pair in user:
        properties.UserProperty = pair
    packed: bytes = properties.pack()  # type: ignore[no-untyped-call]
    return packed


def received_message(message: Any) -> Message:
    """Return a message that paho has read."""
    expiry_s = getattr(message.properties, "MessageExpiryInterval", None)
    return Message(
        message.topic,
        bytes(message.payload),
        message.retain,
        expiry_s if message.retain else None,
        _packed(message.properties),
    )


def _packed(properties: Properties | None) -> bytes:
    """Pack properties without their length."""
    if properties is None:
        return b""
    packed: bytes = properties.pack()  # type: ignore[no-untyped-call]
    at = 0
    while packed[at] & 0x80:  # the length has seven bits a byte
        at += 1
    return packed[at + 1 :]


def subscribe_topics(
    filters: Sequence[str],
    *,
    v5: bool,
    qos: int = 1,
    no_local: bool = False,
    skip_retained: bool = False,
) -> list[tuple[str, Any]]:
    """Return the filters with their QoS and, in MQTT 5, their options."""
    if not v5:
        return [(filter, qos) for filter in filters]
    retain = _DO_NOT_SEND_RETAINED if skip_retained else 0
    return [
        (filter, SubscribeOptions(qos=qos, noLocal=no_local, retainHandling=retain))
        for filter in filters
    ]


def reason_name(reason: int) -> str:
    """Return what the specification calls a PUBACK's reason code."""
    try:
        return str(ReasonCode(PacketTypes.PUBACK, identifier=reason))
    except (KeyError, AssertionError):
        return f"reason {reason}"


def connect_advice(reason: int) -> str:
    """Return what a person can do about a CONNACK's reason code, as the end of a sentence."""
    if reason in _CREDENTIALS_REFUSED:
        return "; check the user and password in MQTT_URL"
    if reason == _UNSUPPORTED_VERSION:
        return "; set MQTT_PROTOCOL to a version that it supports"
    return ""


def _properties(packet_type: int) -> Properties:
    return Properties(packet_type)  # type: ignore[no-untyped-call]
