"""Clients that publish or receive messages with QoS 1 over MQTT 5, each a program of its own.

Each connects to the broker of `MQTT_URL`, and prints the CPU time that it used for one message, in
microseconds.
`session` is runtime.mqtt; `paho` is paho-mqtt on the event loop as in its example loop_asyncio.py.
"""

import asyncio
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import uvloop
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from contract.updates import CONTENT_TYPE, EXPIRY_S
from runtime.broker_url import BrokerAddress, parse_broker_url
from runtime.mqtt import MqttSession, SessionConfig, Subscription

PREFIX: Final = "bench-mqtt"
READY: Final = "ready"

_IN_FLIGHT: Final = 128
"""As many as the poller has."""

_PAYLOAD: Final = (
    b'{"pillow":"cloud-1","state":"hugging","at":"2026-11-22T06:00:00.123Z","seq":7,'
    b'"confidence":0.93,"battery":0.81,'
    b'"hops":{"queued":1763791200123,"polled":1763791200223,"published":1763791200224}}'
)

Send = Callable[[str], "asyncio.Future[None]"]


async def publish_by_session(broker: BrokerAddress, count: int) -> float:
    """Publish with our session; return the CPU time in seconds."""
    session = _session(broker, "publisher", Subscription(), lambda _message: None)
    stopping = asyncio.Event()
    running = asyncio.ensure_future(session.run(stopping))
    await session.wait_ready()

    def send(topic: str) -> "asyncio.Future[None]":
        return session.publish(
            topic, _PAYLOAD, retain=True, content_type=CONTENT_TYPE, expiry_s=EXPIRY_S
        )

    spent = await _publish(send, count)
    stopping.set()
    await running
    return spent


async def publish_by_paho(broker: BrokerAddress, count: int) -> float:
    """Publish with paho; return the CPU time in seconds."""
    client = await _paho(broker)
    waiting: dict[int, asyncio.Future[None]] = {}
    loop = asyncio.get_running_loop()
    client.on_publish = lambda _client, _userdata, mid, _reason, _properties: waiting.pop(
        mid
    ).set_result(None)

    def send(topic: str) -> "asyncio.Future[None]":
        properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.PayloadFormatIndicator = 1
        properties.ContentType = CONTENT_TYPE
        properties.MessageExpiryInterval = EXPIRY_S
        info = client.publish(topic, _PAYLOAD, qos=1, retain=True, properties=properties)
        waiting[info.mid] = loop.create_future()
        return waiting[info.mid]

    return await _publish(send, count)


async def receive_by_session(broker: BrokerAddress, count: int) -> float:
    """Receive with our session; return the CPU time in seconds."""
    counter = _Counter(count)
    subscription = Subscription((f"{PREFIX}/+/state",), skip_retained=True)
    session = _session(broker, "receiver", subscription, lambda _message: counter.add())
    stopping = asyncio.Event()
    running = asyncio.ensure_future(session.run(stopping))
    await session.wait_ready()
    print(READY, flush=True)
    spent = await counter.done
    stopping.set()
    await running
    return spent


async def receive_by_paho(broker: BrokerAddress, count: int) -> float:
    """Receive with paho; return the CPU time in seconds."""
    counter = _Counter(count)
    client = await _paho(broker)
    subscribed = asyncio.Event()
    client.on_subscribe = lambda *_answer: subscribed.set()

    def on_message(_client: Client, _userdata: object, message: Any) -> None:
        # What every handler reads.
        _ = (message.topic, message.payload, message.retain)
        if not message.retain:
            counter.add()

    client.on_message = on_message
    client.subscribe(f"{PREFIX}/+/state", qos=1)
    await subscribed.wait()
    print(READY, flush=True)
    return await counter.done


class _Counter:
    """Measures the CPU time from the first message to the last."""

    def __init__(self, count: int) -> None:
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._left = count
        self._begin: float | None = None

    def add(self) -> None:
        """Count a message."""
        if self._begin is None:
            self._begin = time.process_time()
        self._left -= 1
        if self._left == 0:
            self.done.set_result(time.process_time() - self._begin)


async def _publish(send: Send, count: int) -> float:
    """Keep some publishes in flight until all are acknowledged."""
    begin = time.process_time()
    in_flight: deque[asyncio.Future[None]] = deque()
    for number in range(count):
        if len(in_flight) >= _IN_FLIGHT:
            await in_flight.popleft()
        in_flight.append(send(f"{PREFIX}/cloud-{number % 100}/state"))
    await asyncio.gather(*in_flight)
    return time.process_time() - begin


def _session(
    broker: BrokerAddress, name: str, subscription: Subscription, on_message: Any
) -> MqttSession:
    return MqttSession(
        SessionConfig(
            broker,
            "5",
            service="poller",
            instance=name,
            status_topic=f"{PREFIX}/bridge/poller/{name}/status",
            mark_topic=f"{PREFIX}/bridge/poller/{name}/mark",
        ),
        subscription,
        on_message=on_message,
    )


async def _paho(broker: BrokerAddress) -> Client:
    loop = asyncio.get_running_loop()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.username_pw_set(broker.user, broker.password)
    client.max_inflight_messages_set(0)

    def on_open(client: Client, _userdata: object, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.add_reader(sock, client.loop_read)

    def on_close(_client: Client, _userdata: object, sock: Any) -> None:
        loop.remove_reader(sock)

    def on_register_write(client: Client, _userdata: object, sock: Any) -> None:
        loop.add_writer(sock, client.loop_write)

    def on_unregister_write(_client: Client, _userdata: object, sock: Any) -> None:
        loop.remove_writer(sock)

    client.on_socket_open = on_open
    client.on_socket_close = on_close
    client.on_socket_register_write = on_register_write
    client.on_socket_unregister_write = on_unregister_write
    connected = asyncio.Event()
    client.on_connect = lambda *_answer: connected.set()
    client.connect(broker.host, broker.port)
    await connected.wait()
    return client


CLIENTS: Final[dict[tuple[str, str], Callable[[BrokerAddress, int], Awaitable[float]]]] = {
    ("publish", "session"): publish_by_session,
    ("publish", "paho"): publish_by_paho,
    ("receive", "session"): receive_by_session,
    ("receive", "paho"): receive_by_paho,
}


async def _run(work: str, client: str, count: int) -> None:
    broker = parse_broker_url(os.environ["MQTT_URL"])
    spent_s = await CLIENTS[work, client](broker, count)
    print(f"{spent_s / count * 1e6:.2f}", flush=True)


if __name__ == "__main__":
    uvloop.run(_run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
