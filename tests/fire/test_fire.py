"""No message is lost while pollers, broker, queue and connections fail at random.

See `tests.fire` for how to run it, `world` for the acts and `audit` for what is checked.
"""

import asyncio
import random
import time
from pathlib import Path

import pytest
from azure.storage.queue.aio import QueueClient

from tests.fire.audit import AuditResult
from tests.fire.conftest import message_count
from tests.fire.messages import plan_messages
from tests.fire.system import system_under_fire
from tests.fire.world import World
from tests.machine import need_mosquitto

COUNT = message_count()

pytestmark = [
    pytest.mark.fire,
    # On a quiet machine with two processors all tests together take three minutes, also at once.
    pytest.mark.timeout(180 + COUNT // 25),
]

MAX_SHOWN = 20
"""Limit of the failures that an assertion message lists."""


async def test_no_message_is_lost(
    tmp_path: Path, prefix: str, queue_name: str, fire_seed: int, report: list[str]
) -> None:
    """One poller, at times one more that stands by: each message ends in one of three ways."""
    need_mosquitto()
    rng = random.Random(f"{fire_seed} alone")
    acts = ["poller"] * max(3, COUNT // 550) + ["broker"] * max(1, COUNT // 1600)
    acts += ["queue"] * max(1, COUNT // 2400)
    rng.shuffle(acts)
    acts.insert(len(acts) // 4, "join two")
    acts.insert(len(acts) * 3 // 4, "leave two")
    await run_under_fire(tmp_path, prefix, queue_name, fire_seed, COUNT, ["one"], acts, report)


async def test_three_pollers_end_with_the_newest(
    tmp_path: Path, prefix: str, queue_name: str, fire_seed: int, report: list[str]
) -> None:
    """They share one queue and all receive; the third speaks MQTT 3.1.1."""
    need_mosquitto()
    rng = random.Random(f"{fire_seed} three")
    count = COUNT * 3 // 10
    acts = ["poller"] * max(2, count // 500) + ["broker"] * max(1, count // 1500)
    acts += ["queue"] * max(1, count // 3000)
    rng.shuffle(acts)
    names = ["one", "two", "three"]
    await run_under_fire(
        tmp_path, prefix, queue_name, fire_seed + 1, count, names, acts, report, takeover_s=0,
    )  # fmt: skip


async def test_no_state_is_missing_after_power_cuts(
    tmp_path: Path, prefix: str, queue_name: str, fire_seed: int, report: list[str]
) -> None:
    """Broker, pollers and gateway are killed at once, again and again; one poller stays away."""
    need_mosquitto()
    rng = random.Random(f"{fire_seed} power")
    count = COUNT // 8
    acts = ["power"] * max(5, COUNT // 1000)
    acts.insert(rng.randrange(1, 3), "join two")
    acts.insert(rng.randrange(4, 6), "leave one")
    await run_under_fire(
        tmp_path, prefix, queue_name, fire_seed + 2, count, ["one", "three"], acts, report,
        journal=tmp_path / "journal",
    )  # fmt: skip


async def run_under_fire(
    folder: Path,
    prefix: str,
    queue: str,
    seed: int,
    count: int,
    names: list[str],
    acts: list[str],
    report: list[str],
    journal: Path | None = None,
    takeover_s: float = 2.0,
) -> None:
    """Put `count` messages while the acts happen, wait until the system is idle, and check it."""
    rng = random.Random(f"{seed} cargo")
    planned = plan_messages(rng, count, now_us=time.time_ns() // 1000)
    step = count * 0.9 / len(acts)
    plan = [
        (int(count * 0.02 + step * (index + rng.random() / 2)), act)
        for index, act in enumerate(acts)
    ]
    begun = time.monotonic()
    async with system_under_fire(folder, prefix, queue, seed, planned, journal) as (world, client):
        world.takeover_s = takeover_s
        try:
            await asyncio.gather(
                *(
                    world.start_poller(name, protocol="3.1.1" if name == "three" else "5")
                    for name in names
                )
            )
            world.start_faults()
            async with asyncio.TaskGroup() as parts:
                parts.create_task(world.producer.run())
                parts.create_task(world.play(plan))
            await check(world, client, report)
        finally:
            seconds = time.monotonic() - begun
            report.append(f"  {len(names)} pollers at the start: {summary(world)}")
            report.append(f"  {len(world.producer.puts)} messages put, {seconds:.0f} s in all")


async def check(world: World, client: QueueClient, report: list[str]) -> None:
    """Assert that no message is lost, that the newest state won and that the counters add up.

    A lost message is reported first, because other failures may follow from it.
    """
    await world.wait_idle(client)
    result = await world.audit()
    report.append(f"  {outcomes(result, world)}")
    assert result.missing + result.unexpected == [], "\n".join(
        [
            listing(f"{len(result.missing)} lost", result.missing),
            listing(f"{len(result.unexpected)} unexpected", result.unexpected),
            listing("log lines about the lost messages", world.logged(result.missing_ids)),
        ]
    )
    retained = await world.retained(result.newest)
    wrong = [
        f"{pillow}: retained {retained.get(pillow)}, the newest is {order}"
        for pillow, order in result.newest.items()
        if retained.get(pillow) != order
    ]
    tails = [f"{name}: {line}" for name, one in world.pollers.items() for line in one.log.tail()]
    assert not wrong, "\n".join(
        [listing(f"{len(wrong)} pillows end with an old state", wrong), *tails]
    )
    assert retained.keys() == result.newest.keys()
    if world.gateway is not None:
        assert await world.shown(result.newest) == result.newest
    for poller in world.pollers.values():
        await poller.check_counts()
    world.recorder.check()
    world.check_pollers()


def outcomes(result: AuditResult, world: World) -> str:
    """Return the outcomes of the messages as a line."""
    return (
        f"published {result.published}, superseded {result.superseded} "
        f"({result.out_of_order} of a steady clock), "
        f"dead letters {result.dead_lettered}, exhausted {result.exhausted}, "
        f"missing {len(result.missing)}; duplicates published {world.recorder.duplicates}"
    )


def summary(world: World) -> str:
    """Return the acts and faults as a line."""
    done = [f"{what} {count}" for what, count in world.acts.items()]
    for name, proxy in (("queue", world.queue_proxy), ("mqtt", world.mqtt_proxy)):
        counts = proxy.faults.counts
        faults = ", ".join(f"{fault} {number}" for fault, number in sorted(counts.items()))
        done.append(f"{name} faults {counts.total()} ({faults})")
    return "; ".join(done)


def listing(title: str, lines: list[str]) -> str:
    """Return a title and the first lines of a list."""
    return "\n".join([f"{title}:", *lines[:MAX_SHOWN]])
