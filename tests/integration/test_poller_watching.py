"""A poller that sleeps because nobody looks polls at once when a gateway or a wake hint says so."""

import sys
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest

from contract.topics import Topics
from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from tests.mqtt_client import mqtt_client
from tests.poller import Poller, numbered, put, retained_states
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(180)

WITHIN_S = 40.0
"""How long a poll may take that comes at once, on a busy machine. The next one by the clock comes
after four minutes at least."""

WITH_LONG_PAUSE = """\
from functools import partial
from poller.consume import poll_pacer
poll_pacer.PollState = partial(poll_pacer.PollState, delay_s=150.0)
from poller.__main__ import main
main()
"""
"""A poller whose first pause is twice this delay, as if it had polled for minutes; varied by a
fifth."""

MARKER = b'{"pillow":"marker","state":"hugging","at":"2026-11-29T06:00:00Z"}'


async def say(broker: Broker, prefix: str, clients: bytes) -> None:
    """Publish what a gateway says when it has so many clients."""
    topics = Topics(prefix)
    async with mqtt_client(broker, "gateway") as gateway:
        await gateway.publish(topics.status("gateway", "gw"), b"online", qos=1, retain=True)
        await gateway.publish(topics.watching("gw"), clients, qos=1, retain=True)


def long_pausing(azurite: Azurite, broker: Broker, prefix: str, queue: str) -> Poller:
    """Return a poller that pauses for minutes after its first poll, unless somebody looks."""
    poller = Poller(
        queue,
        prefix,
        broker,
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
        POLLER_POLL_MAX="600",
    )
    poller.command = [sys.executable, "-c", WITH_LONG_PAUSE]
    return poller


async def until_it_pauses(poller: Poller) -> None:
    """Wait until a poller has polled, so that its long pause has begun."""

    async def has_polled() -> bool:
        return await poller.count("polls") >= 1

    await eventually(has_polled, "the first poll")


async def wake_on_mqtt(poller: Poller, broker: Broker) -> None:
    """Publish the hint."""
    async with mqtt_client(broker, "operator") as operator:
        await operator.publish(Topics(poller.prefix).wake, b"", qos=1)


async def wake_over_http(poller: Poller, _broker: Broker) -> None:
    """Post the hint to the poller's port."""
    async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as http:
        url = f"http://{ports.HOST}:{poller.port}/wake"
        assert (await http.get(url)).status_code == 405
        assert (await http.post(url)).status_code == 202


async def begin_to_look(poller: Poller, broker: Broker) -> None:
    """Publish that a client came."""
    await say(broker, poller.prefix, b"1")


@pytest.mark.parametrize("wake", [wake_on_mqtt, wake_over_http, begin_to_look])
async def test_a_long_pause_ends_by_a_hint_and_by_the_first_client(
    azurite: Azurite,
    broker: Broker,
    prefix: str,
    queue_name: str,
    wake: Callable[[Poller, Broker], Awaitable[None]],
) -> None:
    """The message on the queue is published at once."""
    await say(broker, prefix, b"0")
    async with long_pausing(azurite, broker, prefix, queue_name) as poller:
        assert await poller.metric("watching") == 0
        await until_it_pauses(poller)
        await put(azurite, queue_name, [numbered(1)])
        began_s = time.monotonic()
        await wake(poller, broker)
        await retained_states(broker, prefix, 1)
        assert time.monotonic() - began_s < WITHIN_S


async def test_what_is_no_number_or_an_old_hint_ends_no_pause(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """It counts as absent, and what a gateway says that is offline as well."""
    topics = Topics(prefix)
    async with mqtt_client(broker, "operator") as operator:
        await operator.publish(topics.wake, b"old", qos=1, retain=True)
    async with mqtt_client(broker, "gateway") as gateway:
        await gateway.publish(topics.status("gateway", "dead"), b"offline", qos=1, retain=True)
        await gateway.publish(topics.watching("dead"), b"7", qos=1, retain=True)
        for number, odd in enumerate((b"-1", b"1e400", b"9" * 5000, b"many", b"\xff\x00", b" 3")):
            await gateway.publish(topics.watching(f"odd-{number}"), odd, qos=1, retain=True)
        async with long_pausing(azurite, broker, prefix, queue_name) as poller:
            assert await poller.metric("watching") == 0
            await until_it_pauses(poller)
            before = await poller.count("polls")
            for odd in (b"-1", b"1e400", b"9" * 5000, b"many"):
                await gateway.publish(topics.watching("odd-0"), odd, qos=1, retain=True)
            async with mqtt_client(broker, "operator") as operator:
                await operator.publish(topics.state("marker"), MARKER, qos=1)

            async def is_received() -> bool:
                return await poller.metric("pillows") == 1

            await eventually(is_received, "what was published last", within_s=WITHIN_S)
            assert await poller.count("polls") == before
            assert await poller.metric("watching") == 0
            assert await poller.count("wakes") == 0
    assert not any("Traceback" in line for line in poller.log.lines)
