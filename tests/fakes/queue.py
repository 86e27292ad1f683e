"""A queue in memory: leases, receipts, dequeue counts, as Azure Queue Storage has them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from poller.consume.classify import Body
from poller.queues import DeleteResult, QueueDenied, QueueUnavailable, ReceivedMessage
from tests.fakes.calls import Calls, Fault

EPOCH_S: Final = 1_790_000_000
"""What the wall clock says when the loop's says 0."""

UNAVAILABLE: Final = "the queue answered 503 ServerBusy"
THROTTLED_S: Final = 7.0
"""For how long a throttled caller is to wait."""

DENIED: Final = "AuthenticationFailed: look at AZURE_STORAGE_CONNECTION_STRING"


@dataclass(slots=True, eq=False)
class Message:
    """A message in the queue. `attempts` counts receives; `visible_at` is the loop's time."""

    id: str
    text: str
    queued_us: int
    attempts: int = 0
    visible_at: float = 0.0
    pop_receipt: str = ""


class QueueServer:
    """A state queue and its poison queue; `on_delete` is called before a message is deleted."""

    def __init__(self, on_delete: Callable[[Message], None] = lambda _message: None) -> None:
        self.messages: dict[str, Message] = {}
        self.poison: list[str] = []
        self.poisoned_ids: list[str] = []
        self.deleted: list[str] = []
        self.texts: dict[str, str] = {}
        """Every message there has ever been; `queued_us` says since when."""
        self.queued_us: dict[str, int] = {}
        self._on_delete = on_delete
        self._receipts = 0

    def put(self, text: str, *, attempts: int = 0, after_s: float = 0.0) -> str:
        """Put a message on the queue, received `attempts` times before; return its id."""
        name = f"m{len(self.texts)}"
        queued_us = (EPOCH_S + int(_now())) * 1_000_000
        self.messages[name] = Message(name, text, queued_us, attempts, _now() + after_s)
        self.texts[name], self.queued_us[name] = text, queued_us
        return name

    def take(self, limit: int, visibility_s: float) -> list[Message]:
        """Hand out the messages that nobody has, each with a new receipt."""
        there = sorted(self.messages.values(), key=lambda one: one.visible_at)
        visible = [one for one in there if one.visible_at <= _now()][:limit]
        for one in visible:
            one.attempts += 1
            one.visible_at = _now() + visibility_s
            one.pop_receipt = self._new_receipt()
        return visible

    def delete(self, name: str, receipt: str) -> DeleteResult:
        """Delete a message, if this is its newest receipt."""
        message = self.messages.get(name)
        if message is None:
            return DeleteResult.GONE
        if message.pop_receipt != receipt:
            return DeleteResult.LEASE_LOST
        self._on_delete(message)
        self.deleted.append(name)
        del self.messages[name]
        return DeleteResult.DELETED

    def renew(self, name: str, receipt: str, visibility_s: float) -> str | None:
        """Prolong a lease; return the new receipt, or None when this one is out of date."""
        message = self.messages.get(name)
        if message is None or message.pop_receipt != receipt:
            return None
        message.visible_at = _now() + visibility_s
        message.pop_receipt = self._new_receipt()
        return message.pop_receipt

    def release(self, name: str, receipt: str, hidden_s: float = 0.0) -> None:
        """Make a message visible, at once or later, if this is its newest receipt."""
        self.renew(name, receipt, hidden_s)

    def keep(self, name: str, text: str) -> None:
        """Put a copy on the poison queue."""
        self.poison.append(text)
        self.poisoned_ids.append(name)

    def steal(self, name: str, visibility_s: float = 30.0) -> None:
        """Be another poller that receives a message, its lease being over."""
        self.messages[name].visible_at = -1.0
        assert [one.id for one in self.take(1, visibility_s)] == [name]

    def end_leases(self) -> None:
        """Make everything visible, as if every lease were over."""
        for message in self.messages.values():
            message.visible_at = _now()

    def _new_receipt(self) -> str:
        self._receipts += 1
        return f"r{self._receipts}"


class FakeQueue:
    """One process's view of a queue server; each call takes `latency_s()`."""

    def __init__(
        self,
        server: QueueServer,
        calls: Calls,
        *,
        visibility_s: float,
        latency_s: Callable[[], float] = lambda: 0.01,
    ) -> None:
        self.server = server
        self.calls = calls
        self.renewed_while_deleted: list[str] = []
        self.received: list[int] = []
        self.receive_times: list[float] = []
        self._under_way: list[tuple[str, str]] = []
        self._visibility_s = visibility_s
        self._latency_s = latency_s

    async def receive(self, limit: int) -> list[ReceivedMessage]:
        assert 1 <= limit <= 32
        asked = _now()
        self.receive_times.append(asked)
        taken: list[Message] = []
        await self._call(
            "receive", lambda: taken.extend(self.server.take(limit, self._visibility_s))
        )
        self.received.append(len(taken))
        return [
            ReceivedMessage(
                one.id,
                one.pop_receipt,
                Body(one.text, one.queued_us, one.attempts),
                asked + self._visibility_s,
                EPOCH_S + asked - one.queued_us / 1e6,
            )
            for one in taken
        ]

    async def delete(self, message: ReceivedMessage) -> DeleteResult:
        ends: list[DeleteResult] = []
        receipt = message.pop_receipt
        await self._call(
            "delete", lambda: ends.append(self.server.delete(message.id, receipt)), message.id
        )
        return ends[0]

    async def renew(self, message: ReceivedMessage) -> bool:
        asked, receipt = _now(), message.pop_receipt
        new: list[str | None] = []
        await self._call(
            "renew",
            lambda: new.append(self.server.renew(message.id, receipt, self._visibility_s)),
            message.id,
        )
        if new[0] is None:
            return False
        message.pop_receipt = new[0]
        message.leased_until = asked + self._visibility_s
        return True

    async def release(self, message: ReceivedMessage, hidden_s: int = 0) -> None:
        receipt = message.pop_receipt
        await self._call(
            "release", lambda: self.server.release(message.id, receipt, hidden_s), message.id
        )

    async def depth(self) -> int:
        deep: list[int] = []
        await self._call("depth", lambda: deep.append(len(self.server.messages)))
        return deep[0]

    async def put_poison(self, message: ReceivedMessage) -> None:
        await self._call("put_poison", lambda: self.server.keep(message.id, message.body.text))

    async def _call(self, act: str, do: Callable[[], None], name: str = "") -> None:
        fault = self.calls.begin(act)
        latency_s = self._latency_s()
        if {("renew", name), ("delete", name)} <= {*self._under_way, (act, name)}:
            self.renewed_while_deleted.append(name)
        self._under_way.append((act, name))
        now_under_way = sum(one == act for one, _ in self._under_way)
        most = self.calls.most_under_way
        most[act] = max(most[act], now_under_way)
        try:
            await asyncio.sleep(latency_s / 2)
            if fault is Fault.LOST_REQUEST:
                raise QueueUnavailable(UNAVAILABLE)
            if fault is Fault.THROTTLED:
                raise QueueUnavailable(UNAVAILABLE, retry_after_s=THROTTLED_S)
            if fault is Fault.DENIED:
                raise QueueDenied(DENIED)
            if fault is Fault.CRASH_BEFORE:
                self.calls.crash()
            if not self.calls.crashed.is_set():
                do()
            if fault is Fault.CRASH_AFTER:
                self.calls.crash()
            if self.calls.crashed.is_set():
                await asyncio.get_running_loop().create_future()
            await asyncio.sleep(latency_s / 2)
            if fault is Fault.LOST_ANSWER:
                raise QueueUnavailable(UNAVAILABLE)
        finally:
            self._under_way.remove((act, name))


def _now() -> float:
    return asyncio.get_running_loop().time()
