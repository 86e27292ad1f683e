"""The upper limit: the least code that moves messages from a queue to MQTT in Python.

It receives, publishes with QoS 1, and deletes what the broker has confirmed. It has no order, no
lease renewal, no dead letters, no retries, no reconnects and no metrics.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import re
import struct
from collections import deque
from email.utils import formatdate
from typing import Final, cast
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as Xml

import httptools
import uvloop

from azure_queue.service import API_VERSION, PAGE_SIZE

CONCURRENT_RECEIVES: Final = 2
CONCURRENT_DELETES: Final = 64
MAX_IN_FLIGHT: Final = 256
_PILLOW: Final = re.compile(r'"pillow":"([^"]*)"')


class HttpConnection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""
        self._response: asyncio.Future[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        if self._parser.get_status_code() >= 300:
            raise RuntimeError(
                f"the queue service answered {self._parser.get_status_code()}: {body!r}"
            )
        self._response.set_result(body)

    def request(self, data: bytes) -> asyncio.Future[bytes]:
        """Send a request; the future is the body of the response."""
        self._response = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return self._response


class MqttConnection(asyncio.Protocol):
    """MQTT 3.1.1 with QoS 1; the packets of one turn of the event loop are one write."""

    def __init__(self) -> None:
        self._received = b""
        self._unsent: list[bytes] = []
        self._packet_id = 0
        self.connected = asyncio.get_running_loop().create_future()
        self._unconfirmed: dict[int, asyncio.Future[None]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, packet_type: int, body: bytes) -> None:
        """Send a packet together with the others of this turn of the event loop."""
        length, size = len(body), b""
        while length > 127:
            size += bytes([length % 128 | 128])
            length //= 128
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(bytes([packet_type]) + size + bytes([length]) + body)

    def publish(self, topic: str, payload: bytes) -> asyncio.Future[None]:
        """Publish a retained message; the future is done when the broker has confirmed it."""
        self._packet_id = self._packet_id % 65535 + 1
        self.send(0x33, _encode_text(topic) + struct.pack("!H", self._packet_id) + payload)
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unconfirmed[self._packet_id] = confirmed
        return confirmed

    def data_received(self, data: bytes) -> None:
        data = self._received + data
        at = 0
        while len(data) >= at + 4:  # CONNACK and PUBACK have four bytes each
            if data[at] == 0x20:
                self.connected.set_result(None)
            else:
                self._unconfirmed.pop(data[at + 2] << 8 | data[at + 3]).set_result(None)
            at += 4
        self._received = data[at:]

    def _flush(self) -> None:
        self._transport.write(b"".join(self._unsent))
        self._unsent.clear()


class Queue:
    """Requests to one queue, signed with the account's key."""

    def __init__(self, connection_string: str, name: str) -> None:
        fields = dict(part.split("=", 1) for part in connection_string.strip(";").split(";"))
        self._account = fields["AccountName"]
        self._key = base64.b64decode(fields["AccountKey"])
        parts = urlsplit(fields["QueueEndpoint"])
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = f"{parts.path}/{name}/messages"
        self._idle: deque[HttpConnection] = deque()

    async def request(self, method: str, below: str, query: list[tuple[str, str]]) -> bytes:
        """Send a request on an idle connection; return the body of the response."""
        loop = asyncio.get_running_loop()
        if not self._idle:
            created = await loop.create_connection(HttpConnection, self._host, self._port)
            self._idle.append(created[1])
        connection = self._idle.pop()
        path, date = self._path + below, formatdate(usegmt=True)
        text = (
            f"{method}\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:{API_VERSION}\n"
            f"/{self._account}{path}" + "".join(f"\n{name}:{value}" for name, value in query)
        )
        signature = base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()
        encoded = "&".join(f"{name}={quote(value, safe='')}" for name, value in query)
        body = await connection.request(
            f"{method} {path}?{encoded} HTTP/1.1\r\nHost: queue\r\nx-ms-date: {date}\r\n"
            f"x-ms-version: {API_VERSION}\r\n"
            f"Authorization: SharedKey {self._account}:{signature}\r\n\r\n".encode()
        )
        self._idle.append(connection)
        return body


async def main() -> None:
    """Move messages until the process is killed."""
    queue = Queue(os.environ["AZURE_STORAGE_CONNECTION_STRING"], os.environ["QUEUE_NAME"])
    broker = urlsplit(os.environ["MQTT_URL"])
    prefix = os.environ["TOPIC_PREFIX"]
    _, mqtt = await asyncio.get_running_loop().create_connection(
        MqttConnection, broker.hostname or "", broker.port or 1883
    )
    mqtt.send(
        0x10,
        _encode_text("MQTT") + b"\x04\xc2\x00\x3c" + _encode_text("minimal")
        + _encode_text(broker.username or "") + _encode_text(broker.password or ""),
    )  # fmt: skip
    await mqtt.connected
    deletes = asyncio.Semaphore(CONCURRENT_DELETES)
    in_flight = asyncio.Semaphore(MAX_IN_FLIGHT)

    async def move(message: Xml.Element) -> None:
        text = message.findtext("MessageText") or ""
        found = _PILLOW.search(text)
        await mqtt.publish(f"{prefix}/{found[1] if found else '?'}/state", text.encode())
        async with deletes:
            await queue.request(
                "DELETE",
                f"/{message.findtext('MessageId')}",
                [("popreceipt", message.findtext("PopReceipt") or "")],
            )
        in_flight.release()

    async def receive() -> None:
        tasks: set[asyncio.Task[None]] = set()
        query = [("numofmessages", str(PAGE_SIZE)), ("visibilitytimeout", "30")]
        while True:
            page = Xml.fromstring(await queue.request("GET", "", query))  # noqa: S314 - own queue
            for message in page:
                await in_flight.acquire()
                task = asyncio.create_task(move(message))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            if not len(page):
                await asyncio.sleep(0.05)

    print("ready", flush=True)
    await asyncio.gather(*(receive() for _ in range(CONCURRENT_RECEIVES)))


def _encode_text(text: str) -> bytes:
    return struct.pack("!H", len(text.encode())) + text.encode()


if __name__ == "__main__":
    uvloop.run(main())
