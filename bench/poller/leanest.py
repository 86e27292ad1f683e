"""The ceiling: the least that can carry messages from a queue to MQTT in Python.

It receives, publishes with QoS 1, and deletes what was confirmed. It promises nothing else: no
order, no lease renewed, no dead letter, no retry, no reconnect, no count.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import re
import struct
import time
from collections import deque
from email.utils import formatdate
from typing import Final, cast
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as Xml

import httptools
import uvloop

RECEIVERS: Final = 2
DELETIONS: Final = 64
WINDOW: Final = 256
_PILLOW: Final = re.compile(r'"pillow":"([^"]*)"')


class Http(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""
        self._answer: asyncio.Future[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        if self._parser.get_status_code() >= 300:
            raise RuntimeError(f"the queue answered {self._parser.get_status_code()}: {body!r}")
        self._answer.set_result(body)

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """Send a request; the future is the answer's body."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer


class Mqtt(asyncio.Protocol):
    """MQTT 3.1.1, publishing with QoS 1; what is published in one turn of the loop is one write."""

    def __init__(self) -> None:
        self._buffer = b""
        self._out: list[bytes] = []
        self._number = 0
        self.connected = asyncio.get_running_loop().create_future()
        self._pending: dict[int, asyncio.Future[None]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def say(self, packet_type: int, body: bytes) -> None:
        """Send a packet with the others of this turn."""
        length, size = len(body), b""
        while length > 127:
            size += bytes([length % 128 | 128])
            length //= 128
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(bytes([packet_type]) + size + bytes([length]) + body)

    def publish(self, topic: str, payload: bytes) -> asyncio.Future[None]:
        """Publish, retained; the future is done when the broker has confirmed."""
        self._number = self._number % 65535 + 1
        self.say(0x33, _text(topic) + struct.pack("!H", self._number) + payload)
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending[self._number] = confirmed
        return confirmed

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data
        at = 0
        while len(data) >= at + 4:  # CONNACK and PUBACK are four bytes each
            if data[at] == 0x20:
                self.connected.set_result(None)
            else:
                self._pending.pop(data[at + 2] << 8 | data[at + 3]).set_result(None)
            at += 4
        self._buffer = data[at:]

    def _flush(self) -> None:
        self._transport.write(b"".join(self._out))
        self._out.clear()


class Queue:
    """Requests to one queue, signed with the account's key."""

    def __init__(self, connection_string: str, name: str) -> None:
        said = dict(part.split("=", 1) for part in connection_string.strip(";").split(";"))
        self._account = said["AccountName"]
        self._key = base64.b64decode(said["AccountKey"])
        parts = urlsplit(said["QueueEndpoint"])
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = f"{parts.path}/{name}/messages"
        self._free: deque[Http] = deque()

    async def ask(self, verb: str, below: str, query: list[tuple[str, str]]) -> bytes:
        """Send a request on a free connection; return the answer's body."""
        loop = asyncio.get_running_loop()
        if not self._free:
            self._free.append((await loop.create_connection(Http, self._host, self._port))[1])
        connection = self._free.pop()
        path, date = self._path + below, formatdate(usegmt=True)
        text = (
            f"{verb}\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:2025-11-05\n"
            f"/{self._account}{path}" + "".join(f"\n{name}:{value}" for name, value in query)
        )
        proof = base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()
        said = "&".join(f"{name}={quote(value, safe='')}" for name, value in query)
        answer = await connection.ask(
            f"{verb} {path}?{said} HTTP/1.1\r\nHost: queue\r\nx-ms-date: {date}\r\n"
            f"x-ms-version: 2025-11-05\r\nAuthorization: SharedKey {self._account}:{proof}\r\n\r\n"
            "".encode()
        )
        self._free.append(connection)
        return answer


async def main() -> None:
    """Carry messages until killed."""
    queue = Queue(os.environ["AZURE_STORAGE_CONNECTION_STRING"], os.environ["QUEUE_NAME"])
    broker = urlsplit(os.environ["MQTT_URL"])
    prefix = os.environ["TOPIC_PREFIX"]
    _, mqtt = await asyncio.get_running_loop().create_connection(
        Mqtt, broker.hostname or "", broker.port or 1883
    )
    mqtt.say(
        0x10,
        _text("MQTT") + b"\x04\xc2\x00\x3c" + _text("leanest") + _text(broker.username or "")
        + _text(broker.password or ""),
    )  # fmt: skip
    await mqtt.connected
    deletions, window = asyncio.Semaphore(DELETIONS), asyncio.Semaphore(WINDOW)

    async def carry(message: Xml.Element) -> None:
        text = message.findtext("MessageText") or ""
        found = _PILLOW.search(text)
        await mqtt.publish(f"{prefix}/{found[1] if found else '?'}/state", text.encode())
        async with deletions:
            await queue.ask(
                "DELETE",
                f"/{message.findtext('MessageId')}",
                [("popreceipt", message.findtext("PopReceipt") or "")],
            )
        window.release()

    async def receive() -> None:
        under_way: set[asyncio.Task[None]] = set()
        while True:
            page = Xml.fromstring(  # noqa: S314 - of our own queue
                await queue.ask("GET", "", [("numofmessages", "32"), ("visibilitytimeout", "30")])
            )
            for message in page:
                await window.acquire()
                task = asyncio.create_task(carry(message))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            if not len(page):
                await asyncio.sleep(0.05)

    print("ready", time.time(), flush=True)
    await asyncio.gather(*(receive() for _ in range(RECEIVERS)))


def _text(text: str) -> bytes:
    return struct.pack("!H", len(text.encode())) + text.encode()


if __name__ == "__main__":
    uvloop.run(main())
