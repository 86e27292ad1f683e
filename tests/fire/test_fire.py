"""Nothing is lost while pollers, broker, queue and connections die at random.

See `tests.fire` for how to run it, `world` for what is done, `ledger` for what is held.
"""

import asyncio
import random
import time
from pathlib import Path

import pytest
from azure.storage.queue.aio import QueueClient

from tests.fire.cargo import make_cargo
from tests.fire.conftest import messages
from tests.fire.ledger import Verdict
from tests.fire.world import World, burning
from tests.machine import need_mosquitto

COUNT = messages()

pytestmark = [
    pytest.mark.fire,
    # On a quiet machine with two processors both together take two minutes and a half.
    pytest.mark.timeout(180 + COUNT // 25),
]

SHOWN = 20
"""How many of what went wrong a message shows."""


async def test_nothing_is_lost(
    tmp_path: Path, prefix: str, queue_name: str, fire_seed: int, report: list[str]
) -> None:
    """One poller, for a while two; every number is published, superseded or kept as poison."""
    need_mosquitto()
    chance = random.Random(f"{fire_seed} alone")
    acts = ["poller"] * max(3, COUNT // 550) + ["broker"] * max(1, COUNT // 1600)
    acts += ["queue"] * max(1, COUNT // 2400)
    chance.shuffle(acts)
    acts.insert(len(acts) // 4, "join two")
    acts.insert(len(acts) * 3 // 4, "leave two")
    await burn(tmp_path, prefix, queue_name, fire_seed, COUNT, ["one"], acts, report)


async def test_three_pollers_end_with_the_newest(
    tmp_path: Path, prefix: str, queue_name: str, fire_seed: int, report: list[str]
) -> None:
    """On one queue; the third speaks MQTT 3.1.1."""
    need_mosquitto()
    chance = random.Random(f"{fire_seed} three")
    count = COUNT * 3 // 10
    acts = ["poller"] * max(2, count // 500) + ["broker"] * max(1, count // 1500)
    acts += ["queue"] * max(1, count // 3000)
    chance.shuffle(acts)
    crew = ["one", "two", "three"]
    await burn(tmp_path, prefix, queue_name, fire_seed + 1, count, crew, acts, report)


async def burn(
    folder: Path,
    prefix: str,
    queue: str,
    seed: int,
    count: int,
    crew: list[str],
    acts: list[str],
    report: list[str],
) -> None:
    """Put `count` messages while the acts happen, come to rest, and hold what is promised."""
    chance = random.Random(f"{seed} cargo")
    cargo = make_cargo(chance, count, now_us=time.time_ns() // 1000)
    step = count * 0.9 / len(acts)
    plan = [
        (int(count * 0.02 + step * (index + chance.random() / 2)), act)
        for index, act in enumerate(acts)
    ]
    begun = time.monotonic()
    async with burning(folder, prefix, queue, seed, cargo) as (world, client):
        try:
            await asyncio.gather(
                *(world.join(name, protocol="3.1.1" if name == "three" else "5") for name in crew)
            )
            world.enrage()
            async with asyncio.TaskGroup() as parts:
                parts.create_task(world.putter.run())
                parts.create_task(world.play(plan))
            await check(world, client, report)
        finally:
            seconds = time.monotonic() - begun
            report.append(f"seed {seed}, {len(crew)} pollers at first: {told(world)}")
            report.append(f"  {len(world.putter.puts)} messages put, {seconds:.0f} s in all")


async def check(world: World, client: QueueClient, report: list[str]) -> None:
    """Hold, at rest, that every message has ended, that the newest won and that the books balance.

    The order is that of importance: a message lost is said before anything that follows from it.
    """
    await world.come_to_rest(client)
    verdict = await world.judge()
    report.append(counted(verdict, world))
    assert verdict.missing + verdict.strange == [], "\n".join(
        [
            listing(f"{len(verdict.missing)} lost", verdict.missing),
            listing(f"{len(verdict.strange)} strange", verdict.strange),
            listing("the pollers on those lost", world.logged(verdict.missing_ids)),
        ]
    )
    retained = await world.retained(verdict.newest)
    wrong = [
        f"{pillow}: retained {retained.get(pillow)}, the newest is {order}"
        for pillow, order in verdict.newest.items()
        if retained.get(pillow) != order
    ]
    tails = [f"{name}: {line}" for name, one in world.pollers.items() for line in one.log.tail()]
    assert not wrong, "\n".join(
        [listing(f"{len(wrong)} pillows end with an old state", wrong), *tails]
    )
    assert retained.keys() == verdict.newest.keys()
    for poller in world.pollers.values():
        await poller.check_counts()
    world.recorder.check()
    world.check_pollers()


def counted(verdict: Verdict, world: World) -> str:
    """How the messages ended, in a line."""
    return (
        f"published {verdict.published}, superseded {verdict.superseded} "
        f"({verdict.out_of_turn} of a steady clock), "
        f"dead letters {verdict.buried}, worn out {verdict.worn_out}, "
        f"missing {len(verdict.missing)}; published more than once {world.recorder.repeated}"
    )


def told(world: World) -> str:
    """What was done, in a line."""
    done = [f"{what} {count}" for what, count in world.acts.items()]
    for name, proxy in (("queue", world.queue_proxy), ("mqtt", world.mqtt_proxy)):
        tally = proxy.faults.tally
        faults = ", ".join(f"{fault} {number}" for fault, number in sorted(tally.items()))
        done.append(f"{name} faults {tally.total()} ({faults})")
    return "; ".join(done)


def listing(what: str, lines: list[str]) -> str:
    """Say what went wrong, the first few in full."""
    return "\n".join([f"{what}:", *lines[:SHOWN]])
