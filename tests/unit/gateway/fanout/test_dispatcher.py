"""The dispatcher: when it writes, and that one closed connection does not affect others."""

import asyncio
import time
from functools import partial
from itertools import count
from types import SimpleNamespace

import pytest

from contract.frames import Status
from gateway.fanout import dispatcher as module
from gateway.fanout.batching import AdaptiveLinger
from gateway.fanout.catch_up_queue import BATCH
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.strategies import update
from tests.unit.gateway.subscribers import Client
from tests.waiting import until


class Core(GatewayCore):
    """A gateway core that publishes one change after the other."""

    changes = 0

    def publish(self, pad: int = 0) -> None:
        """Publish one more change."""
        self.changes += 1
        self.dispatcher.publish(self.put(update(at=self.changes, pad=pad)))

    async def connect(self) -> Client:
        """Return a client that has its snapshot."""
        client = Client(self.dispatcher)
        self.dispatcher.announce_broker(Status("online"))
        client.take_frames()
        return client


@pytest.fixture
async def core() -> Core:
    return Core()


def linger_for(monkeypatch: pytest.MonkeyPatch, linger_s: float) -> None:
    """Make each flush wait as if the process was busy."""
    monkeypatch.setattr(AdaptiveLinger, "linger_s", property(lambda _: linger_s))


def has(client: Client, changes: int) -> bool:
    """Return whether a client has so many changes."""
    return len(client.changes) == changes


async def next_turn() -> None:
    """Let the event loop run what is scheduled."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_an_idle_process_flushes_in_the_next_turn_with_one_write(core: Core) -> None:
    """All changes of this turn share it."""
    client = await core.connect()
    before = len(client.writes)
    for _ in range(5):
        core.publish()
    assert len(client.writes) == before
    await next_turn()

    assert len(client.writes) == before + 1
    assert len(client.changes) == 5
    assert core.count("delivered_updates_total") == 5


@pytest.mark.parametrize("is_left_out", [False, True])
async def test_work_with_a_share_of_its_own_makes_no_update_wait(
    core: Core, monkeypatch: pytest.MonkeyPatch, *, is_left_out: bool
) -> None:
    """Nine tenths of the processor's time go to requests, and next to nothing to updates."""
    worked_s, ticks = 0.0, count()
    began_s, cpu_s = time.monotonic(), time.thread_time()

    def monotonic() -> float:
        return began_s + worked_s / 0.9 + next(ticks) / 1000

    def thread_time() -> float:
        return cpu_s + worked_s

    if is_left_out:
        core.dispatcher.leave_out(lambda: worked_s)
    clocks = SimpleNamespace(monotonic=monotonic, thread_time=thread_time)
    monkeypatch.setattr("gateway.fanout.dispatcher.time", clocks)
    client = await core.connect()
    for changes in (1, 2):
        worked_s += 1.0
        core.publish()
        await until(partial(has, client, changes), "written")

    core.publish()

    assert core.dispatcher.is_due() == is_left_out


async def test_a_busy_process_flushes_after_the_linger(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes that arrive meanwhile share the flush, and do not prolong the wait."""
    linger_for(monkeypatch, 0.02)
    client = await core.connect()
    before = len(client.writes)
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    core.publish()
    await next_turn()
    assert len(client.writes) == before
    core.publish()
    await until(lambda: len(client.writes) > before, "written")

    assert loop.time() - start_s >= 0.019
    assert len(client.writes) == before + 1
    assert len(client.changes) == 2


async def test_a_full_frame_is_flushed_without_the_linger(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More changes would not make it cheaper."""
    linger_for(monkeypatch, 10.0)
    client = await core.connect()
    core.publish()
    await next_turn()
    assert client.changes == []
    for _ in range(3):
        core.publish(pad=30_000)
    await next_turn()

    assert len(client.changes) == 4


async def test_new_subscribers_within_the_snapshot_linger_share_a_snapshot(core: Core) -> None:
    """The linger is too short for a person to notice."""
    assert module.SNAPSHOT_LINGER_S < 0.01
    clients = [Client(core.dispatcher) for _ in range(3)]
    await until(lambda: all(client.writes for client in clients), "written")

    assert all(client.writes[0] is clients[0].writes[0] for client in clients)
    assert core.count("snapshots_total", recovered="false") == 3


@pytest.mark.parametrize("linger_s", [0.0, 10 * module.CATCH_UP_S])
async def test_an_update_waits_for_few_of_those_who_want_a_snapshot(
    core: Core, monkeypatch: pytest.MonkeyPatch, linger_s: float
) -> None:
    """A write of each takes a tenth of the time of a flush; where updates wait, it has more."""
    now_s = time.monotonic()
    clocks = SimpleNamespace(monotonic=lambda: now_s, thread_time=time.thread_time)
    monkeypatch.setattr("gateway.fanout.dispatcher.time", clocks)
    first = await core.connect()
    linger_for(monkeypatch, linger_s)
    served: list[int] = []  # when the update comes, which is after the first flush

    def publish() -> None:
        served.append(sum(one.is_live for one in waiting))
        core.publish()

    class Slow(Client):
        """One that takes a tenth of the time."""

        def write(self, data: bytes | memoryview, /) -> None:
            nonlocal now_s
            now_s += module.CATCH_UP_S / 10
            if self is waiting[0] and not self.writes:
                asyncio.get_running_loop().call_soon(publish)
            super().write(data)

    waiting = [Slow(core.dispatcher) for _ in range(200)]
    await until(lambda: all(one.is_live for one in waiting), "all served")

    (early,) = served
    allowed = max(10, linger_s / (module.CATCH_UP_S / 10))
    assert allowed <= early < allowed + BATCH
    assert len(first.changes) == 1
    if linger_s == 0:
        # The update is written next; those who waited longer have it in their snapshot.
        assert [len(one.changes) for one in waiting] == [1] * early + [0] * (200 - early)


async def test_all_who_wait_get_the_goodbye_at_once(core: Core) -> None:
    """Also those who have not got their snapshot: the process is about to end."""
    clients = [Client(core.dispatcher) for _ in range(300)]
    core.dispatcher.announce_restart()

    assert all(client.closed for client in clients)


async def test_only_changes_are_due(core: Core) -> None:
    """Those who wait for a snapshot are no reason to let inbound messages wait."""
    client = await core.connect()
    core.dispatcher.pause(client)
    core.dispatcher.resume(client)
    assert not core.dispatcher.is_due()
    core.publish()
    assert core.dispatcher.is_due()


async def test_a_closed_connection_is_unsubscribed_and_the_others_are_written_to(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transport that is closed raises RuntimeError."""
    clients = [await core.connect() for _ in range(3)]

    def write(_data: bytes) -> None:
        raise RuntimeError("the handler is closed")

    monkeypatch.setattr(clients[1], "write", write)
    core.publish()
    await next_turn()

    assert [len(client.changes) for client in clients] == [1, 0, 1]
    assert core.dispatcher.subscriber_count() == 2


async def test_a_catch_up_is_counted_as_conflated(core: Core) -> None:
    """Once each time that a subscriber gets the newest state instead of each one."""
    client = await core.connect()
    core.dispatcher.pause(client)
    core.publish()
    core.publish()
    await next_turn()
    assert client.changes == []
    core.dispatcher.resume(client)
    await next_turn()

    assert len(client.changes) == 1
    assert core.count("conflated_total") == 1


async def test_an_empty_catch_up_is_not_written(core: Core) -> None:
    """The subscriber is live again, and `on_caught_up` is called."""
    client = await core.connect()
    caught_up, writes = client.times_caught_up, len(client.writes)
    core.dispatcher.pause(client)
    core.dispatcher.resume(client)
    await next_turn()

    assert client.is_live
    assert client.times_caught_up == caught_up + 1
    assert len(client.writes) == writes
