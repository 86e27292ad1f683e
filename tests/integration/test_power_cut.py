"""A power cut: broker and pollers are killed at once, and no state that was deleted is missing."""

import asyncio
from pathlib import Path

import aiomqtt
import pytest

from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from tests.machine import need_mosquitto
from tests.poller import Poller, numbered, put, retained_states, spawned, subscribed, wait_empty
from tests.service_process import WITHIN_S
from tests.waiting import eventually, until

pytestmark = pytest.mark.timeout(180)


def poller_on(
    broker: Broker, azurite: Azurite, queue: str, prefix: str, journal: Path, **given: str
) -> Poller:
    """Return a poller with a journal in a folder."""
    return Poller(
        queue,
        prefix,
        broker,
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
        POLLER_VISIBILITY_TIMEOUT="2",
        POLLER_JOURNAL=str(journal),
        **given,
    )


async def cut(*programs: Broker | Poller) -> None:
    """Kill programs at once."""
    for program in programs:
        program.kill()
    for program in programs:
        await program.wait()


async def remove_pillow(broker: Broker, prefix: str, pillow: str) -> None:
    """Remove a pillow as an operator does, and wait until the broker has done it."""
    url = broker.url_for("simulator").removeprefix("mqtt://").partition("@")[0]
    name, _, password = url.partition(":")
    async with aiomqtt.Client(ports.HOST, broker.port, username=name, password=password) as client:
        await client.publish(f"{prefix}/{pillow}/state", b"", qos=1, retain=True)


async def test_no_deleted_state_is_missing_after_a_power_cut(
    azurite: Azurite, prefix: str, queue_name: str, tmp_path: Path
) -> None:
    """Several times in a row, with two pollers of which one is not started again."""
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix=prefix) as broker:
        one, two = (
            poller_on(broker, azurite, queue_name, prefix, tmp_path, INSTANCE=name)
            for name in ("one", "two")
        )
        async with spawned(one), spawned(two):
            await asyncio.gather(one.until_ready(), two.until_ready())
            for cuts in range(3):
                first = 100 * cuts
                await put(azurite, queue_name, [numbered(first + number) for number in range(100)])
                await wait_empty(azurite, queue_name, *((one, two) if cuts < 2 else (one,)))
                await cut(broker, one, two)
                await broker.start()
                await one.start()
                if cuts == 0:
                    await two.start()
                found = await retained_states(broker, prefix, first + 100)
                assert found.keys() == {f"n-{number}" for number in range(first + 100)}


async def test_a_pillow_removed_while_everything_was_down_stays_removed(
    azurite: Azurite, prefix: str, queue_name: str, tmp_path: Path
) -> None:
    """The save mark tells that the broker had the state; a state behind the mark is lost."""
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix=prefix) as broker:
        poller = poller_on(broker, azurite, queue_name, prefix, tmp_path)
        async with spawned(poller):
            await poller.until_ready()
            async with subscribed(broker, f"{prefix}/bridge/poller/one/saved/+") as marks:
                await put(azurite, queue_name, [numbered(1)])
                await until(lambda: len(marks) >= 1, "a save mark", within_s=WITHIN_S)
                await put(azurite, queue_name, [numbered(2)])
                await until(lambda: len(marks) >= 2, "a mark of both", within_s=WITHIN_S)
            await wait_empty(azurite, queue_name, poller)
            await cut(poller)
            await remove_pillow(broker, prefix, "n-1")
            await broker.stop()
            await broker.start()  # it has saved the removal
            await poller.start()
            await put(azurite, queue_name, [numbered(3)])
            await wait_empty(azurite, queue_name, poller)
            await cut(broker)
            await poller.log.wait_for("broker lost", within_s=WITHIN_S)
            await broker.start()

            async def is_healed() -> bool:
                return await poller.count("republished") >= 1

            await eventually(is_healed, "n-3 published again")
            found = await retained_states(broker, prefix, 2)

    assert found.keys() == {"n-2", "n-3"}


async def test_two_pollers_with_one_instance_name_bring_no_removed_pillow_back(
    azurite: Azurite, prefix: str, queue_name: str, tmp_path: Path
) -> None:
    """Each has marks of its own, whichever of them published last."""
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix=prefix) as broker:
        first, second = (
            poller_on(broker, azurite, queue_name, prefix, tmp_path / name, INSTANCE="one")
            for name in ("a", "b")
        )

        async def publish_alone(twin: Poller, number: int) -> None:
            await twin.until_ready()
            await put(azurite, queue_name, [numbered(number)])
            await wait_empty(azurite, queue_name, twin)

            async def is_marked() -> bool:
                saved = [one.payload for one in news if "/saved" in str(one.topic)]
                return len({bytes(payload).split()[0] for payload in saved}) > number

            await eventually(is_marked, "a save mark")
            await cut(twin)

        async with subscribed(broker, f"{prefix}/bridge/poller/one/#") as news, spawned(first):
            await publish_alone(first, 0)
            async with spawned(second):
                await publish_alone(second, 1)
                for pillow in ("n-0", "n-1"):
                    await remove_pillow(broker, prefix, pillow)
                for twin in (first, second):
                    await twin.start()
                await put(azurite, queue_name, [numbered(2)])
                await wait_empty(azurite, queue_name, first, second)
                assert await first.count("republished") + await second.count("republished") == 0
                found = await retained_states(broker, prefix, 1)

    assert found.keys() == {"n-2"}


async def test_a_removed_pillow_does_not_come_back_with_another_poller_s_journal(
    azurite: Azurite, prefix: str, queue_name: str, tmp_path: Path
) -> None:
    """The poller that wrote it has ended; its mark tells the one which adopts its journal."""
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix=prefix) as broker:
        one, two = (
            poller_on(broker, azurite, queue_name, prefix, tmp_path, INSTANCE=name)
            for name in ("one", "two")
        )
        async with spawned(two):
            await two.until_ready()
            await put(azurite, queue_name, [numbered(1)])
            await wait_empty(azurite, queue_name, two)
            async with subscribed(broker, f"{prefix}/bridge/poller/two/saved/+") as marks:

                async def is_marked() -> bool:
                    return len(marks) > 0

                await eventually(is_marked, "a save mark")
            async with one:
                await cut(two)
                await remove_pillow(broker, prefix, "n-1")
                await broker.stop()
                await broker.start()
                await one.log.wait_for("another poller's journal adopted", within_s=WITHIN_S)
                await put(azurite, queue_name, [numbered(2)])
                await wait_empty(azurite, queue_name, one)
                found = await retained_states(broker, prefix, 1)
                healed = await one.count("republished")

    assert (set(found), healed) == ({"n-2"}, 0)


async def test_a_journal_that_cannot_be_used_delays_nothing(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str, tmp_path: Path
) -> None:
    """A file is in the folder's place; the journal begins as soon as it is gone."""
    folder = tmp_path / "journal"
    folder.write_text("not a folder")
    poller = poller_on(broker, azurite, queue_name, prefix, folder)
    async with poller:
        await put(azurite, queue_name, [numbered(1)])
        await wait_empty(azurite, queue_name, poller)
        ready = await poller.get("/readyz")
        assert ready.status_code == 200
        assert str(folder) in ready.json()["dependencies"]["journal"]
        assert "the journal cannot be written" in poller.log.text
        assert "pillowcast_poller_journal_up 0.0" in (await poller.get("/metrics")).text
        folder.unlink()
        await poller.log.wait_for("the journal is written again", within_s=WITHIN_S)
        await put(azurite, queue_name, [numbered(2)])
        await wait_empty(azurite, queue_name, poller)
        assert (await poller.get("/readyz")).json()["dependencies"]["journal"] == "ok"
        assert list(folder.glob("*.sqlite3")) != []
