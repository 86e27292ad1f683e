"""The way of a message: MQTT, store, history and stream agree, whatever arrives in which order."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import structlog

from contract.states import STATES
from contract.timestamps import format_timestamp
from contract.topics import PillowTopic
from contract.updates import EXPIRY_S, Update, decode_state
from runtime.mqtt import Message
from tests.fakes.virtual_time import now, pause, virtual_time
from tests.fuzz.byte_source import ByteSource
from tests.fuzz.odd_json import NUMBERS, TIMES
from tests.fuzz.sockets import Page
from tests.unit.gateway.core import TOPICS, GatewayCore
from tests.unit.gateway.transport.contexts import make_context

MAX_BYTES = 1024

START_MS: Final = 1_763_791_200_123
PILLOWS: Final = ("cloud-1", "cloud-2", "a", "b-3")
MAX_PILLOWS: Final = 3
HISTORY_BYTES: Final = 2_000
MAX_PAGES: Final = 4
MAX_MESSAGE_S: Final = 0.25
"""The CPU time of one message; a usual one takes a thousandth of it, and tracing makes it slow."""

FILTERS: Final = (None, frozenset({"cloud-1"}), frozenset({"a", "cloud-2"}), frozenset({"x"}))
NAMES: Final = (*sorted(STATES), "HUGGING", "", "nothing")
OFFSETS_MS: Final = (0, 1, 1000, -1000, 30_000, -30_000, 299_999, 300_001, -86_400_000, 86_400_001)
TOPIC_KINDS: Final = ("state", "state", "state", "availability", "x/state", "state/")
EXPIRIES: Final = (None, 0, 1, EXPIRY_S - 40, EXPIRY_S, 2**32 - 1)
PAUSES_S: Final = (0.3, 5.0, 31.0, 3600.0, 8 * 86_400.0)


class _Errors:
    """The errors that a part of the gateway has logged instead of raising them."""

    def __init__(self) -> None:
        self.last: BaseException | None = None

    def __call__(self, _logger: object, _method: str, event: Any) -> Any:
        error = event.get("exc_info")
        if isinstance(error, BaseException):
            self.last = error
        raise structlog.DropEvent

    def of_loop(self, _loop: object, context: dict[str, Any]) -> None:
        """Note an error in a callback of the event loop."""
        error = context.get("exception")
        self.last = self.last or error or RuntimeError(context["message"])

    def check(self) -> None:
        """Raise what was caught."""
        if self.last is not None:
            raise AssertionError("an exception was caught and logged") from self.last


class World:
    """A gateway's core with pages, on the virtual clock of the event loop."""

    def __init__(self) -> None:
        self.wall_offset_ms = 0
        self.core = GatewayCore(
            clock=lambda: self._monotonic_ms() + self.wall_offset_ms,
            monotonic=self._monotonic_ms,
            max_pillows=MAX_PILLOWS,
            expire_after_ms=30_000,
            history_bytes=HISTORY_BYTES,
        )
        self.context = make_context(self.core)
        self.pages: list[Page] = []
        self.errors = _Errors()
        self._orders: dict[str, tuple[int, tuple[int, int]]] = {}
        self._offset = 0

    def _monotonic_ms(self) -> int:
        return START_MS + int(now() * 1000)

    def receive(self, message: Message) -> None:
        """Receive a message, and check what became of it."""
        store, before = self.core.store, self.core.clock.read().reference_ms
        topic = TOPICS.parse(message.topic)
        was_known = topic is not None and store.newest(topic.pillow) is not None
        had_room = len(store) < MAX_PILLOWS
        began_s = time.thread_time()
        self.core.consumer.receive(message)
        spent_s = time.thread_time() - began_s
        assert spent_s < MAX_MESSAGE_S, f"a message took {spent_s:.3f} s"
        self.errors.check()
        if topic is not None and (was_known or had_room):
            self._check_newest(topic, message, before)
        self.check()

    def _check_newest(self, topic: PillowTopic, message: Message, before: int | None) -> None:
        """A valid state that is not from the future is stored, or a newer one is."""
        if topic.kind != "state" or not message.payload:
            return
        after = self.core.clock.read().reference_ms
        update = decode_state(topic.pillow, message.payload, now_ms=before)
        if isinstance(update, Update) and before is not None and after is not None:
            newest = self.core.store.newest(topic.pillow)
            if update.order[0] <= min(before, after) * 1000:
                assert newest is not None, "a valid state was lost"
                assert newest.order >= update.order, "the newest does not win"

    def check(self) -> None:
        """Check what always holds of store and history."""
        store, history = self.core.store, self.core.history
        assert len(store) <= MAX_PILLOWS
        assert store.cursor.offset >= self._offset, "a cursor went back"
        self._offset = store.cursor.offset
        assert 0 <= history.size_bytes <= HISTORY_BYTES
        orders: dict[str, tuple[int, tuple[int, int]]] = {}
        for arrival, change in store.arrivals_after(0):
            newest = store.newest(change.pillow)
            assert newest is not None
            orders[change.pillow] = (arrival, newest.order)
            known = self._orders.get(change.pillow)
            if known is not None and known[0] == arrival:
                assert newest.order >= known[1], "a pillow went back in time"
            past = history.states(change.pillow)
            if past:
                shown = store.state(change.pillow)
                assert shown is not None
                assert _essence(past[-1]) == _essence(shown), "history and store disagree"
        assert store.size_bytes == sum(map(len, store.states()))
        self._orders = orders

    def check_pages(self) -> None:
        """Check that every page shows what the store has."""
        shown = {}
        for _, change in self.core.store.arrivals_after(0):
            assert change.payload is not None
            shown[change.pillow] = msgspec.json.decode(change.payload)
        for page in self.pages:
            if page.is_open:
                assert page.client.is_complete, "a snapshot did not end"
                wanted = page.wanted
                expected = {
                    pillow: state
                    for pillow, state in shown.items()
                    if wanted is None or pillow in wanted
                }
                assert page.client.states == expected, "a page and the store disagree"


def check(data: bytes) -> None:
    """Run the actions that the bytes select, and then let every page catch up."""
    _run(ByteSource(data))


@virtual_time
async def _run(source: ByteSource) -> None:
    world = World()
    asyncio.get_running_loop().set_exception_handler(world.errors.of_loop)
    structlog.configure(processors=[world.errors], cache_logger_on_first_use=False)
    timer = asyncio.ensure_future(world.core.consumer.run())
    try:
        while source:
            await source.choice(ACTIONS)(world, source)
        for page in world.pages:
            page.socket.read_on()
        await asyncio.sleep(1)
        world.errors.check()
        world.check()
        world.check_pages()
        assert not timer.done(), "the consumer has ended"
    finally:
        timer.cancel()
        await asyncio.gather(timer, return_exceptions=True)
        for page in world.pages:
            page.socket.close()
        await asyncio.sleep(0)
        structlog.reset_defaults()


async def _receive_state(world: World, source: ByteSource) -> None:
    pillow = source.choice(PILLOWS)
    flags = source.byte()
    message = Message(
        TOPICS.state(pillow), _state(world, pillow, source), bool(flags & 1), EXPIRIES[flags % 6]
    )
    world.receive(message)


async def _receive_any(world: World, source: ByteSource) -> None:
    topic = f"pillow/{source.choice(PILLOWS)}/{source.choice(TOPIC_KINDS)}"
    payload = source.choice((b"", b"online", b"offline", source.piece()))
    world.receive(Message(topic, payload, bool(source.byte() & 1)))


async def _remove(world: World, source: ByteSource) -> None:
    world.receive(Message(TOPICS.state(source.choice(PILLOWS)), b"", False))


async def _set_availability(world: World, source: ByteSource) -> None:
    flags = source.byte()
    payload = (b"online", b"offline")[flags & 1]
    topic = TOPICS.availability(source.choice(PILLOWS))
    world.receive(Message(topic, payload, bool(flags & 2)))


async def _lose_broker(world: World, _source: ByteSource) -> None:
    world.core.consumer.on_broker_lost()


async def _find_broker(world: World, source: ByteSource) -> None:
    world.core.consumer.on_broker_ready(delivers_retained=source.byte() % 4 > 0)


async def _wait(_world: World, source: ByteSource) -> None:
    await asyncio.sleep(source.byte() / 100)


async def _stand_still(_world: World, source: ByteSource) -> None:
    pause(source.choice(PAUSES_S))
    await asyncio.sleep(0.3)


async def _set_clock(world: World, source: ByteSource) -> None:
    world.wall_offset_ms = source.choice(OFFSETS_MS) * source.choice((1, 1000))


async def _open_page(world: World, source: ByteSource) -> None:
    flags, filter = source.byte(), source.choice(FILTERS)
    before = None
    if len(world.pages) >= MAX_PAGES:
        before = world.pages.pop(0)
        before.socket.close()
        if not flags & 2 or not before.client.is_complete:
            before = None
        elif isinstance(before.wanted, frozenset) or before.wanted is None:
            filter = before.wanted
    world.pages.append(Page(world.context, filter, before, is_websocket=bool(flags & 1)))


async def _stop_reading(world: World, source: ByteSource) -> None:
    if world.pages:
        source.choice(world.pages).socket.stop_reading(source.byte())


async def _read_on(world: World, source: ByteSource) -> None:
    if world.pages:
        source.choice(world.pages).socket.read_on()


async def _subscribe(world: World, source: ByteSource) -> None:
    if world.pages:
        source.choice(world.pages).subscribe(source.choice(FILTERS))


async def _send_bytes(world: World, source: ByteSource) -> None:
    if world.pages:
        source.choice(world.pages).send(source.piece())


ACTIONS: Final[tuple[Callable[[World, ByteSource], Any], ...]] = (
    _receive_state, _receive_state, _receive_state, _receive_any, _remove, _set_availability,
    _lose_broker, _find_broker, _wait, _wait, _stand_still, _set_clock, _open_page, _stop_reading,
    _read_on, _subscribe, _send_bytes,
)  # fmt: skip


def _state(world: World, pillow: str, source: ByteSource) -> bytes:
    """Return a state of a pillow, in which some values are odd."""
    oddities = source.byte()
    at = b'"%b"' % format_timestamp(_time_ms(world, source) * 1000).encode()
    fields = [
        b'"pillow":"%b"' % (pillow if oddities & 1 == 0 else source.choice(PILLOWS)).encode(),
        b'"state":"%b"' % source.choice(NAMES).encode(),
        b'"at":%b' % (at if oddities & 2 == 0 else source.choice(TIMES)),
    ]
    if oddities & 4:
        fields.append(b'"seq":%b' % source.choice(NUMBERS))
    if oddities & 8:
        hops = [
            b'"%b":%b' % (name, _hop(world, source))
            for name in (b"queued", b"polled", b"published")
        ]
        fields.append(b'"hops":{%b}' % b",".join(hops))
    if oddities & 16:
        fields.append(b'"x":"%b"' % (b"y" * source.byte() * 16))
    if oddities & 32:
        fields.append(source.piece())
    return b"{%b}" % b",".join(fields)


def _hop(world: World, source: ByteSource) -> bytes:
    return b"%d" % _time_ms(world, source) if source.byte() & 3 else source.choice(NUMBERS)


def _time_ms(world: World, source: ByteSource) -> int:
    return START_MS + int(now() * 1000) + source.choice(OFFSETS_MS) + source.byte()


def _essence(payload: bytes) -> tuple[object, ...]:
    """Return what history and store have in common; hops and `since` may be later ones."""
    fields = msgspec.json.decode(payload)
    return fields["state"], fields["at"], fields.get("seq"), fields.get("last")


def seeds() -> Iterator[bytes]:
    """Yield runs with pages that read, stop, resume and change their filters."""
    number = {action.__name__: index for index, action in enumerate(ACTIONS)}

    def run(*steps: tuple[str, bytes]) -> bytes:
        return b"".join(bytes((number[name],)) + more for name, more in steps)

    plain, hops = b"\x00\x00\x00\x00\x00\x00", b"\x01\x00\x08\x01\x05\x02"
    opened = [("_find_broker", b"\x01"), ("_open_page", b"\x01\x00"), ("_open_page", b"\x00\x01")]
    yield run(*opened, ("_receive_state", plain), ("_wait", b"\x05"), ("_receive_state", hops))
    yield run(
        *opened,
        ("_stop_reading", b"\x00\x03"),
        *[("_receive_state", bytes((n, 0, 16, n, n, n, 9))) for n in range(6)],
        ("_wait", b"\x10"),
        ("_remove", b"\x01"),
        ("_read_on", b"\x00"),
        ("_subscribe", b"\x00\x02"),
    )
    yield run(
        *opened,
        ("_receive_state", b"\x00\x01\x0c\x00\x00\x02\x08\x00\x08\x00\x08\x00\x08"),
        ("_lose_broker", b""),
        ("_stand_still", b"\x02"),
        ("_find_broker", b"\x01"),
        ("_set_clock", b"\x06\x01"),
        ("_receive_state", plain),
        ("_stand_still", b"\x04"),
    )
    yield run(
        *opened, ("_send_bytes", b"\x00\x09\x81\x83\x00\x00\x00\x00abc"), ("_remove", b"\x00")
    )
    yield run(
        ("_receive_any", b"\x00\x03\x02\x00"), *opened * 2, ("_set_availability", b"\x01\x00")
    )
