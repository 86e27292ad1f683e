"""The way out: when it writes, and that one browser's end is not another's."""

import asyncio

import pytest

from gateway.fanout import dispatcher as module
from gateway.fanout.dispatcher import Dispatcher
from gateway.metrics import GatewayMetrics
from gateway.state.state_store import StateStore
from tests.unit.gateway.strategies import EPOCH_MS, update
from tests.unit.gateway.subscribers import Client
from tests.waiting import until


class Way:
    """A store and the way out of it."""

    def __init__(self) -> None:
        self.metrics = GatewayMetrics()
        self.store = StateStore("ep")
        self.out = Dispatcher(self.store, self.metrics, lambda: EPOCH_MS)
        self._at = 0

    def say(self, pad: int = 0) -> None:
        """Publish one more change."""
        self._at += 1
        self.out.publish(self.store.put(update(at=self._at, pad=pad), None))

    def count(self, name: str, **labels: str) -> float:
        """A metric."""
        return self.metrics.registry.get_sample_value(f"pillowcast_gateway_{name}", labels) or 0.0


@pytest.fixture
async def way() -> Way:
    return Way()


async def turn() -> None:
    """Let the event loop go round."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def begun(way: Way) -> Client:
    """A browser that has its snapshot."""
    client = Client(way.out.planner)
    way.out.announce_broker("online")
    client.take_frames()
    return client


async def test_at_rest_a_change_leaves_in_the_same_turn(way: Way) -> None:
    """With all that came together with it, in one write."""
    client = await begun(way)
    before = len(client.writes)
    for _ in range(5):
        way.say()
    assert len(client.writes) == before
    await turn()

    assert len(client.writes) == before + 1
    assert len(client.changes) == 5
    assert way.count("delivered_updates_total") == 5


async def test_a_busy_process_lets_changes_wait_for_each_other(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But not for long."""
    monkeypatch.setattr(type(way.out._linger), "wait_s", property(lambda _: 0.02))
    client = await begun(way)
    before = len(client.writes)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    way.say()
    await turn()
    assert len(client.writes) == before
    way.say()
    await until(lambda: len(client.writes) > before, "written")

    assert loop.time() - began_s >= 0.019
    assert len(client.writes) == before + 1
    assert len(client.changes) == 2


async def test_a_whole_frame_waits_for_nothing(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """Company would not make it cheaper."""
    monkeypatch.setattr(type(way.out._linger), "wait_s", property(lambda _: 10.0))
    client = await begun(way)
    way.say()
    await turn()
    assert client.changes == []
    for _ in range(3):
        way.say(pad=30_000)
    await turn()

    assert len(client.changes) == 4


async def test_who_comes_shares_a_snapshot_with_who_comes_too(way: Way) -> None:
    """A moment is waited for them, and no longer."""
    assert module.SNAPSHOT_LINGER_S < 0.01
    clients = [Client(way.out.planner) for _ in range(3)]
    way.out._ask(module.SNAPSHOT_LINGER_S)
    await until(lambda: all(client.writes for client in clients), "written")

    assert all(client.writes[0] is clients[0].writes[0] for client in clients)
    assert way.count("snapshots_total", recovered="false") == 3


async def test_one_that_was_closed_underneath_takes_nothing_from_the_others(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end is its own."""
    clients = [await begun(way) for _ in range(3)]

    def closed(_data: bytes) -> None:
        raise RuntimeError("the handler is closed")

    monkeypatch.setattr(clients[1], "write", closed)
    way.say()
    await turn()

    assert [len(client.changes) for client in clients] == [1, 0, 1]
    assert len(way.out.planner) == 2


async def test_catching_up_is_counted(way: Way) -> None:
    """Each time somebody is given the newest in place of all."""
    client = await begun(way)
    way.out.pause(client)
    way.say()
    way.say()
    await turn()
    assert client.changes == []
    way.out.resume(client)
    await turn()

    assert len(client.changes) == 1
    assert way.count("conflated_total") == 1
