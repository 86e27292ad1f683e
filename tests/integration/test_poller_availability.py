"""The availability of pillows that come by the queue, on a real queue and a real broker."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest

from contract.home_assistant import DiscoveryTopics, Facts
from contract.topics import Topics
from devstack.azurite import Azurite
from devstack.broker import Broker
from runtime.version import version_of
from tests.gateway import Gateway
from tests.mqtt_client import mqtt_client
from tests.poller import Poller, payload, put, subscribed
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(180)

PATIENT = {"POLLER_OFFLINE_AFTER": "3600"}
"""For a poller in whose time no pillow falls silent, however slow the machine is."""


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
        "POLLER_POLL_MAX": "1",
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
    }
    async with words(broker, prefix, "a") as said, words(broker, prefix, "own") as own:
        async with mqtt_client(broker, "simulator") as pillow:
            await pillow.publish(Topics(prefix).availability("own"), b"online", 1, True)
            state = b'{"pillow":"own","state":"hugging","at":"2026-11-29T06:00:00Z"}'
            await pillow.publish(Topics(prefix).state("own"), state, 1, True)
            async with Poller(queue_name, prefix, broker, **settings, **PATIENT):
                await put(azurite, queue_name, [message("a", 1)])
                await until(said, ["online"])
            hasty = Poller(queue_name, prefix, broker, **settings, POLLER_OFFLINE_AFTER="3")
            async with hasty as poller:
                await until(said, ["online", "offline"])
                assert await poller.metric("offline_pillows") == 1
            async with Poller(queue_name, prefix, broker, **settings, **PATIENT):
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
        "POLLER_POLL_MAX": "1",
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
    }
    async with Gateway(broker, prefix) as gateway, gateway.connect() as browser:
        await browser.receive()
        async with (
            words(broker, prefix, "both") as both,
            words(broker, prefix, "queue") as queue,
            mqtt_client(broker, "simulator") as pillow,
        ):
            await pillow.publish(Topics(prefix).availability("both"), b"online", 1, True)
            async with Poller(queue_name, prefix, broker, **settings, **PATIENT):
                await put(azurite, queue_name, [message("both", 1), message("queue", 1)])
                await until(queue, ["online"])
            async with Poller(queue_name, prefix, broker, **settings, POLLER_OFFLINE_AFTER="2"):
                await until(queue, ["online", "offline"])
                assert both() == ["online"]
                assert (await gateway.get("/api/pillows/queue")).json()["state"] == "hugging"


async def test_a_pillow_appears_in_home_assistant_and_leaves_it(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """With the rights that the ACL gives the poller and Home Assistant's user."""
    topics = DiscoveryTopics("homeassistant", Topics(prefix))
    settings = {
        "POLLER_HOME_ASSISTANT_PREFIX": "homeassistant",
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
    }
    received: list[bytes] = []

    async def has(count: int) -> bool:
        while len(home.messages):
            received.append(payload(await anext(aiter(home.messages))))
        return len(received) >= count

    async with mqtt_client(broker, "homeassistant") as home:
        await home.subscribe(topics.all_configs, qos=1)
        async with Poller(queue_name, prefix, broker, **settings) as poller:
            text = message("a", 1).replace("}", ',"battery":0.81}')
            await put(azurite, queue_name, [text])
            await eventually(partial(has, 1), "the discovery message")
            await home.publish(topics.status, b"online", qos=1)
            await eventually(partial(has, 2), "the message again")
            async with mqtt_client(broker, "operator") as operator:
                await operator.publish(Topics(prefix).state("a"), b"", 1, True)
            await eventually(partial(has, 3), "its removal")

            async def is_counted() -> bool:
                return await poller.count("discovery_written") == 3

            # Counted once the broker has confirmed it.
            await eventually(is_counted, "three messages are counted")

    facts = Facts(has_availability=True, has_battery=True, expire_after_s=120)
    first = topics.encode("a", facts, version_of("poller"))
    assert received == [first, first, b""]
