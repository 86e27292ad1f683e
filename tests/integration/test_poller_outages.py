"""The poller during outages: kills, a lost broker, a missing queue, and several pollers."""

import asyncio
import json
import random
import time

import pytest

from contract.timestamps import format_timestamp
from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from tests.machine import need_mosquitto
from tests.poller import (
    Poller,
    created_queue,
    numbered,
    put,
    receive_poison,
    retained_states,
    spawned,
    subscribed,
    wait_empty,
)
from tests.service_process import WITHIN_S
from tests.waiting import eventually, until

# Several processes are started and killed in one test, which takes time on a busy machine.
pytestmark = pytest.mark.timeout(180)


async def test_a_killed_poller_loses_no_message(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """SIGKILL twice among 300 numbered messages: each is published or in the poison queue."""
    numbers = range(300)
    poller = Poller(
        queue_name,
        prefix,
        broker,
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
        POLLER_VISIBILITY_TIMEOUT="2",
    )
    async with subscribed(broker, f"{prefix}/+/state") as published, poller:
        putting = asyncio.create_task(
            put(azurite, queue_name, [numbered(number) for number in numbers])
        )
        for passed in (40, 120):

            async def have_passed(passed: int = passed) -> bool:
                return len(published) >= passed

            await eventually(have_passed, f"{passed} published")
            poller.kill()
            await poller.exit_status()
            await poller.start()
        await putting
        await wait_empty(azurite, queue_name, poller)
        await poller.check_counts()
        found = {int(one.removeprefix("n-")) for one in await retained_states(broker, prefix, 1)}
        dead_lettered = [
            json.loads(text)["seq"] for text in await receive_poison(azurite, queue_name)
        ]

        def seen() -> set[int]:
            return {int(str(one.topic).split("/")[1].removeprefix("n-")) for one in published}

        # They come here by MQTT in their own time.
        await until(
            lambda: seen() | set(dead_lettered) == set(numbers), "every number", within_s=WITHIN_S
        )
    assert found <= seen()


async def test_a_killed_broker_loses_no_message(
    azurite: Azurite, prefix: str, queue_name: str
) -> None:
    """Publishes in flight are sent again, and every last write that the broker forgot."""
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix=prefix) as broker:
        poller = Poller(
            queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string
        )
        async with poller:
            putting = asyncio.create_task(
                put(azurite, queue_name, [numbered(number) for number in range(300)])
            )

            async def under_way() -> bool:
                return await poller.count("published") >= 40

            await eventually(under_way, "40 published")
            broker.kill()
            await broker.wait()
            await poller.log.wait_for("broker lost", within_s=WITHIN_S)
            ready = await poller.get("/readyz")
            assert ready.status_code == 503
            assert f"{ports.HOST}:{broker.port}" in ready.json()["dependencies"]["mqtt"]
            await broker.start()
            await putting
            await wait_empty(azurite, queue_name, poller)
            found = await retained_states(broker, prefix, 300)
            counts = await poller.check_counts()

            async def is_ready() -> bool:
                return (await poller.get("/readyz")).status_code == 200

            await eventually(is_ready, "ready")

    assert found.keys() == {f"n-{number}" for number in range(300)}
    assert counts["dead_lettered"] == 0
    assert poller.log.text.count("broker lost") == 1
    assert "Traceback" not in poller.log.text


async def test_a_broker_that_is_missing_at_the_start_is_waited_for(
    azurite: Azurite, prefix: str, queue_name: str
) -> None:
    """It is logged once, and no message is received meanwhile."""
    need_mosquitto()
    broker = Broker(kind="mosquitto", topic_prefix=prefix)
    await put(azurite, queue_name, [numbered(1)])
    poller = Poller(
        queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string
    )
    try:
        async with spawned(poller):
            await poller.log.wait_for("broker unavailable", within_s=WITHIN_S)
            async with created_queue(azurite, queue_name) as client:
                (waiting,) = await client.peek_messages()
            assert waiting.dequeue_count == 0
            assert (await poller.get("/healthz")).status_code == 200
            await broker.start()
            await poller.until_ready(within_s=WITHIN_S)
            await retained_states(broker, prefix, 1)
            assert poller.log.text.count("broker unavailable") == 1
    finally:
        await broker.close()


async def test_a_queue_that_is_missing_at_the_start_is_waited_for(
    broker: Broker, prefix: str, queue_name: str
) -> None:
    """It is logged once, with the address and the setting."""
    late = Azurite(ports.free())
    poller = Poller(
        queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=late.connection_string
    )
    async with spawned(poller):
        line = await poller.log.wait_for("queue operation failed", within_s=WITHIN_S)
        assert f"{ports.HOST}:{late.port}" in line
        assert "AZURE_STORAGE_CONNECTION_STRING" in line
        ready = await poller.get("/readyz")
        assert ready.status_code == 503
        assert "receive: " in ready.json()["dependencies"]["queue"]
        async with late:
            await poller.until_ready(within_s=WITHIN_S)
            await put(late, queue_name, [numbered(1)])
            await retained_states(broker, prefix, 1)
            assert poller.log.text.count("queue operation failed") == 1
            poller.terminate()
            assert await poller.exit_status() == 0


async def test_a_wrong_key_is_logged_with_the_setting(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """The process stays, logs it once, is not ready, and stops on SIGTERM."""
    given = azurite.connection_string.replace("AccountKey=Eby8", "AccountKey=AAAA")
    poller = Poller(queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=given)
    async with spawned(poller):
        line = await poller.log.wait_for("queue operation failed", within_s=WITHIN_S)
        assert "AZURE_STORAGE_CONNECTION_STRING" in line
        ready = await poller.get("/readyz")
        assert ready.status_code == 503
        assert "AZURE_STORAGE_CONNECTION_STRING" in ready.json()["dependencies"]["queue"]
        poller.terminate()
        assert await poller.exit_status() == 0

    assert "MGw==" not in poller.log.text, "the key is logged"
    assert "Traceback" not in poller.log.text


async def test_three_pollers_on_one_queue_end_with_the_newest(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """The states of four pillows are shuffled, and the newest of each is retained."""
    shuffled = list(range(160))
    random.Random(7).shuffle(shuffled)
    begin_us = time.time_ns() // 1000 - 3_600_000_000
    texts = [
        json.dumps(
            {
                "pillow": f"p{number % 4}",
                "state": "hugging",
                "at": format_timestamp(begin_us + number // 8 * 1_000_000),
                "seq": number,
            }
        )
        for number in shuffled
    ]
    pollers = [
        Poller(
            queue_name,
            prefix,
            broker,
            INSTANCE=name,
            MQTT_PROTOCOL=protocol,
            AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
            POLLER_TAKEOVER_AFTER="0",  # so that all of them receive
            POLLER_POLL_MAX="0.05",  # so that no poller waits while another one receives everything
        )
        for name, protocol in (("one", "5"), ("two", "5"), ("three", "3.1.1"))
    ]
    async with spawned(pollers[0]), spawned(pollers[1]), spawned(pollers[2]):
        await asyncio.gather(*(poller.until_ready() for poller in pollers))
        rounds = 0

        async def have_shared() -> bool:
            nonlocal rounds
            await put(azurite, queue_name, texts)
            await wait_empty(azurite, queue_name, *pollers)
            rounds += 1
            received = [await poller.count("received") for poller in pollers]
            return sum(count > 0 for count in received) >= 2

        # One that is not paused may take all of them; in another round they are superseded.
        await eventually(have_shared, "messages for two pollers")

        async def newest_retained() -> bool:
            found = await retained_states(broker, prefix, 4)
            return {one.order[1] for one in found.values()} == {156, 157, 158, 159}

        await eventually(newest_retained, "the newest state of each pillow")
        counts = [await poller.check_counts() for poller in pollers]

    assert sum(one["published"] + one["superseded"] for one in counts) == 160 * rounds


async def test_a_poller_does_not_republish_against_its_own_states(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """MQTT 3.1.1 sends a publisher its own states, and older ones may arrive late."""
    texts = [
        f'{{"pillow":"busy","state":"hugging","at":"2025-11-22T06:00:00Z","seq":{seq}}}'
        for seq in range(120)
    ]
    await put(azurite, queue_name, texts)
    poller = Poller(
        queue_name,
        prefix,
        broker,
        MQTT_PROTOCOL="3.1.1",
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
    )
    async with poller:
        await wait_empty(azurite, queue_name, poller)
        found = await retained_states(broker, prefix, 1)
        await poller.check_counts()
        assert await poller.count("republished") <= 5

    assert found["busy"].order[1] == 119
