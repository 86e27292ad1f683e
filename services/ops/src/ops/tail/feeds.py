"""Feeds: states as they arrive by MQTT and by the gateway, and what waits on the queue.

Each feed goes on after a loss, and says why it has nothing.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from azure_queue.errors import QueueDenied, QueueUnavailable
from azure_queue.settings import QueueSettings
from contract.frames import SUBPROTOCOL
from contract.topics import Topics
from ops.queue_view import opened, read_page
from ops.tail.sightings import Seen, decode_seen
from runtime.mqtt import BrokerLost, BrokerUnusable, Guest, Message
from runtime.settings import CommonSettings

RETRY_S: Final = 2.0
QUEUE_INTERVAL_S: Final = 0.5

OnSeen = Callable[[Seen], None]
OnTrouble = Callable[[str, str | None], None]
"""Called with the feed's name and why it has nothing; None when it works."""

OnWaiting = Callable[[str, str, float], None]
"""Called with a message that waits on the queue: its id, its text, and for how long in seconds."""


async def repeat(name: str, feed: Callable[[], Awaitable[None]], on_trouble: OnTrouble) -> None:
    """Run a feed again whenever it ends, until cancelled."""
    while True:
        try:
            await feed()
        except (BrokerLost, BrokerUnusable, QueueDenied, QueueUnavailable) as error:
            on_trouble(name, str(error))
        except (OSError, WebSocketException, TimeoutError) as error:
            on_trouble(name, str(error) or type(error).__name__)
        await asyncio.sleep(RETRY_S)


async def by_mqtt(
    settings: CommonSettings, pillows: list[str], on_seen: OnSeen, on_trouble: OnTrouble
) -> None:
    """Call `on_seen` for each state that is published from now on."""
    topics = Topics(settings.topic_prefix)

    def receive(message: Message) -> None:
        seen = None if message.retained else decode_seen(message.payload)
        if seen is not None:
            on_seen(seen)

    guest = Guest(settings, receive)
    async with guest.connected():
        await guest.subscribe([topics.state(one) for one in pillows] or [topics.all_states])
        on_trouble("mqtt", None)
        await guest.wait_lost()


class _Frame(msgspec.Struct):
    """A frame, as far as states are in it."""

    type: str
    pillows: list[msgspec.Raw] = []
    message: str = ""


async def by_websocket(
    page: str, pillows: list[str], token: str | None, on_seen: OnSeen, on_trouble: OnTrouble
) -> None:
    """Call `on_seen` for each state of an update frame."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    options: dict[str, Any] = {"ssl": ssl.create_default_context()} if page[:6] == "https:" else {}
    async with connect(
        websocket_url(page, pillows),
        additional_headers=headers,
        subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]  # it is a NewType of str
        proxy=None,
        max_size=None,
        open_timeout=5,
        **options,
    ) as connection:
        on_trouble("websocket", None)
        async for data in connection:
            frame = msgspec.json.decode(data, type=_Frame)
            if frame.type == "error":
                raise OSError(frame.message)
            if frame.type == "update":
                for payload in frame.pillows:
                    seen = decode_seen(bytes(payload))
                    if seen is not None:
                        on_seen(seen)
        raise OSError("the gateway closed the connection")


async def waiting(settings: QueueSettings, on_waiting: OnWaiting, on_trouble: OnTrouble) -> None:
    """Call `on_waiting` for each visible message of the queue, again and again; none is taken."""
    async with opened(settings) as (states, _):
        while True:
            page = await read_page(states)
            on_trouble("queue", None)
            for message in page.messages:
                on_waiting(message.id, message.text, page.age_s(message))
            await asyncio.sleep(QUEUE_INTERVAL_S)


def websocket_url(page: str, pillows: list[str]) -> str:
    """Return the address of the stream of some pillows, or of all."""
    parts = urlsplit(page)
    query = "&".join(f"pillow={quote(one)}" for one in pillows)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, f"{parts.path.rstrip('/')}/ws", query, ""))
