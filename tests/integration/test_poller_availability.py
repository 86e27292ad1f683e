"""The availability of pillows that come by the queue, on a real queue and a real broker."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from contract.topics import Topics
from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from tests.gateway import Gateway
from tests.poller import Poller, eventually, payload, put, subscribed

pytestmark = pytest.mark.timeout(180)


@asynccontextmanager
async def words(broker: Broker, prefix: str, pillow: str) -> AsyncIterator[Callable[[], list[str]]]:
    """Yield a function that returns the words of a pillow, in order."""
    async with subscribed(broker, Topics(prefix).availability(pillow)) as messages:
        yield lambda: [payload(message).decode() for message in messages]


async def until(said: Callable[[], list[str]], wanted: Sequence[str]) -> None:
    """Wait until these words were said, and no others."""

    async def is_said() -> bool:
        assert said() == list(wanted)[: len(said())]
        return len(said()) == len(wanted)

    await eventually(is_said, f"{wanted}")


def message(pillow: str, seq: int) -> str:
    """Return a message of a pillow."""
    return f'{{"pillow":"{pillow}","state":"hugging","seq":{seq}}}'


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_silent_pillow_is_offline_for_every_reader_of_mqtt(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str, protocol: str
) -> None:
    """Also after a restart of the poller; a state makes it online, and its removal clears it."""
    settings = {
        "MQTT_PROTOCOL": protocol,
        "POLLER_OFFLINE_AFTER": "3",
        "POLLER_POLL_MAX": "1",
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
    }
    async with words(broker, prefix, "a") as said, words(broker, prefix, "own") as own:
        async with aiomqtt.Client(
            ports.HOST, broker.port, username="simulator", password=broker.password("simulator")
        ) as pillow:
            await pillow.publish(Topics(prefix).availability("own"), b"online", 1, True)
            state = b'{"pillow":"own","state":"hugging","at":"2026-11-29T06:00:00Z"}'
            await pillow.publish(Topics(prefix).state("own"), state, 1, True)
            async with Poller(queue_name, prefix, broker, **settings):
                await put(azurite, queue_name, [message("a", 1)])
                await until(said, ["online"])
            async with Poller(queue_name, prefix, broker, **settings) as poller:
                await until(said, ["online", "offline"])
                assert await poller.metric("offline_pillows") == 1
                await put(azurite, queue_name, [message("a", 2)])
                await until(said, ["online", "offline", "online"])
                await pillow.publish(Topics(prefix).state("a"), b"", 1, True)
                await until(said, ["online", "offline", "online", ""])
        assert own() == ["online"]


async def test_an_own_word_stays_though_the_pillow_uses_the_queue_too(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """With MQTT 5 a poller's words are told from a pillow's own; the gateway goes by silence."""
    settings = {
        "POLLER_OFFLINE_AFTER": "2",
        "POLLER_POLL_MAX": "1",
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
    }
    async with Gateway(broker, prefix) as gateway, gateway.connect() as browser:
        await browser.receive()
        async with (
            words(broker, prefix, "both") as both,
            words(broker, prefix, "queue") as queue,
            aiomqtt.Client(
                ports.HOST, broker.port, username="simulator", password=broker.password("simulator")
            ) as pillow,
        ):
            await pillow.publish(Topics(prefix).availability("both"), b"online", 1, True)
            async with Poller(queue_name, prefix, broker, **settings):
                await put(azurite, queue_name, [message("both", 1), message("queue", 1)])
                await until(queue, ["online", "offline"])
                assert both() == ["online"]
                assert (await gateway.get("/api/pillows/queue")).json()["state"] == "hugging"
