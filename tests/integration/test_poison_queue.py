"""A poison queue that does not take dead letters: they wait, are counted, and nothing else does."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from devstack.azurite import Azurite
from devstack.broker import Broker
from tests.fire.queue_proxy import QueueProxy, response_of
from tests.metrics import sample
from tests.poller import Poller, created_queue, numbered, put, spawned, wait_count
from tests.queue_client import queue_client
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(120)

DENIED = (403, "AuthorizationPermissionMismatch", "This request is not authorized.")
TOO_LARGE = (413, "RequestBodyTooLarge", "The request body is too large.")
MISSING = (404, "QueueNotFound", "The specified queue does not exist.")
BEING_DELETED = (409, "QueueBeingDeleted", "The specified queue is being deleted.")

Answer = tuple[int, str, str]


class PoisonProxy(QueueProxy):
    """A proxy before Azurite that answers some requests to the poison queue itself."""

    def __init__(self, upstream: int) -> None:
        super().__init__(upstream, random.Random(0))
        self.faults.paused = True
        self.puts: Callable[[bytes], Answer | None] = lambda _request: None
        self.creates: Answer | None = None

    async def _exchange(self, request: bytes, writer: Any, up: Any) -> bool:
        target = request.split(b" ", 2)[1].partition(b"?")[0]
        answer = None
        if target.endswith(b"-poison/messages") and request.startswith(b"POST"):
            answer = self.puts(request)
        elif target.endswith(b"-poison") and request.startswith(b"PUT"):
            answer = self.creates
        if answer is None:
            return bool(await super()._exchange(request, writer, up))
        writer.write(response_of(*answer))
        await writer.drain()
        return True


class World:
    """A poller behind the proxy."""

    def __init__(self, azurite: Azurite, proxy: PoisonProxy, poller: Poller, queue: str) -> None:
        self.azurite, self.proxy, self.poller, self.queue = azurite, proxy, poller, queue
        self._good = 0

    async def counted(self, name: str) -> float:
        """Return a sample of the poller."""
        return sample((await self.poller.get("/metrics")).text, f"pillowcast_poller_{name}")

    async def until(self, name: str, value: float) -> None:
        """Wait until a sample has at least a value."""

        async def is_reached() -> bool:
            return await self.counted(name) >= value

        try:
            await eventually(is_reached, f"{name} {value:g}")
        except AssertionError as error:
            raise AssertionError(
                self.poller.log.text, (await self.poller.get("/metrics")).text
            ) from error

    async def check_states_pass(self) -> None:
        """Put ten messages that can be read; each is published."""
        texts = [numbered(self._good + number) for number in range(10)]
        self._good += 10
        await put(self.azurite, self.queue, texts)
        await self.until("published_total", self._good)

    async def poison(self) -> list[str]:
        """Return what the poison queue has."""
        async with created_queue(self.azurite, f"{self.queue}-poison") as client:
            return [one.content for one in await client.peek_messages(max_messages=32)]


@asynccontextmanager
async def world_of(
    azurite: Azurite, broker: Broker, prefix: str, queue: str
) -> AsyncIterator[World]:
    async with PoisonProxy(azurite.port) as proxy:
        url = azurite.connection_string.replace(f":{azurite.port}/", f":{proxy.port}/")
        settings = {"AZURE_STORAGE_CONNECTION_STRING": url, "POLLER_VISIBILITY_TIMEOUT": "4"}
        async with spawned(Poller(queue, prefix, broker, **settings)) as poller:
            await poller.log.wait_for("started", within_s=30)
            yield World(azurite, proxy, poller, queue)


@pytest.fixture
async def world(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> AsyncIterator[World]:
    """A poller whose queues exist and which has published."""
    async with world_of(azurite, broker, prefix, queue_name) as made:
        await put(azurite, queue_name, [])
        await made.poller.log.wait_for("queue ready", within_s=30)
        yield made


FAILED = 'queue_failures_total{kind="denied",operation="keep a dead letter"}'


@pytest.mark.parametrize(
    ("answer", "creates", "said"),
    [
        (DENIED, None, "the credential lacks a right"),
        (MISSING, DENIED, "-poison"),
    ],
    ids=["denied", "missing"],
)
async def test_a_poison_queue_that_refuses_holds_up_its_dead_letters_alone(
    world: World, answer: Answer, creates: Answer | None, said: str
) -> None:
    """The reason is in the log and in readiness; when it takes them again they are kept."""
    world.proxy.puts, world.proxy.creates = (lambda _request: answer), creates
    bad = [f"what is {number}?" for number in range(5)]
    await put(world.azurite, world.queue, bad)
    await world.until(FAILED, 5)
    await world.check_states_pass()
    ready = (await world.poller.get("/readyz")).json()["dependencies"]["queue"]
    assert "keep a dead letter" in ready
    assert said in ready
    assert said in world.poller.log.text
    assert await world.counted('dead_lettered_total{reason="malformed"}') == 0

    world.proxy.puts, world.proxy.creates = (lambda _request: None), None
    await world.until('dead_lettered_total{reason="malformed"}', 5)
    assert sorted(await world.poison()) == bad
    await world.poller.check_counts()


async def test_a_message_that_the_poison_queue_finds_too_large_waits_alone(world: World) -> None:
    """Other dead letters are kept; the log names the message, and it is never lost."""
    world.proxy.puts = lambda request: TOO_LARGE if b"vast" in request else None
    await put(world.azurite, world.queue, ["vast?", "what?"])
    await world.until('dead_lettered_total{reason="malformed"}', 1)
    await world.until(FAILED, 3)
    await world.check_states_pass()

    assert await world.poison() == ["what?"]
    assert await world.counted("blocked_messages") == 1
    line = next(one for one in world.poller.log.text.splitlines() if "cannot be kept" in one)
    assert "RequestBodyTooLarge" in line
    await wait_count(world.azurite, world.queue, 1)


async def test_a_poison_queue_that_is_being_deleted_does_not_stop_the_states(world: World) -> None:
    """Azure refuses to create it again for a while; then it is, and has what waited."""
    async with queue_client(world.azurite.connection_string, f"{world.queue}-poison") as poison:
        await poison.delete_queue()
    world.proxy.creates = BEING_DELETED
    await put(world.azurite, world.queue, ["what?"])
    await world.until('queue_failures_total{kind="unavailable",operation="keep a dead letter"}', 2)
    await world.check_states_pass()
    assert await world.counted('queue_failures_total{kind="unavailable",operation="receive"}') == 0

    world.proxy.creates = None
    await world.until('dead_lettered_total{reason="malformed"}', 1)
    assert await world.poison() == ["what?"]


async def test_a_poller_starts_beside_a_poison_queue_that_cannot_be_created(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """Messages that can be read need none."""
    async with world_of(azurite, broker, prefix, queue_name) as world:
        world.proxy.creates = BEING_DELETED
        await world.check_states_pass()
