"""TCP and TLS to the broker, by asyncio: connecting blocks nothing and can be cancelled."""

import asyncio
import os
import ssl

from runtime.broker_url import BrokerAddress
from runtime.mqtt.errors import BrokerLost
from runtime.tls import tls_context, verification_advice


async def open_transport(broker: BrokerAddress, protocol: asyncio.Protocol) -> asyncio.Transport:
    """Connect `protocol` to the broker; raises OSError. A cancelled connect closes its socket."""
    # In a thread, because reading the system's certificates takes some ten milliseconds.
    tls = await asyncio.to_thread(tls_context, broker.tls_files) if broker.tls else None
    transport, _ = await asyncio.get_running_loop().create_connection(
        lambda: protocol, broker.host, broker.port, ssl=tls
    )
    return transport


def os_error_text(error: OSError) -> str:
    """Return the system's sentence for an error, without the address that asyncio adds.

    After a refused certificate it says what to check.
    """
    if error.errno is not None and error.errno > 0 and not isinstance(error, ssl.SSLError):
        return os.strerror(error.errno)
    return f"{error}{verification_advice(error)}"


def closed_by_broker(
    error: Exception | None, *, has_connack: bool, v5: bool, has_tls: bool
) -> BrokerLost:
    """Return the reason of a connection that the broker closed, or that the network ended."""
    if isinstance(error, ssl.SSLError):
        # With TLS 1.3 the broker checks the client's certificate after the handshake.
        return BrokerLost(f"the broker ended TLS ({error}); check MQTT_TLS_CERT")
    if not has_connack:
        # Some brokers refuse a protocol version like this; and the alert about a certificate may be
        # lost, because the broker closes at once.
        advice = "; check MQTT_TLS_CERT" if has_tls else ""
        advice += "; if it has no MQTT 5, set MQTT_PROTOCOL to 3.1.1" if v5 else ""
        return BrokerLost(f"the broker closed the connection without CONNACK{advice}")
    why = os_error_text(error) if isinstance(error, OSError) else "the broker closed it"
    return BrokerLost(f"the connection ended ({why})")
