"""A queue in memory, with the leases, pop receipts and dequeue counts of Azure Queue Storage."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from azure_queue.queue_clock import AnswerTime
from poller.queues import Body, DeleteResult, QueueDenied, QueueUnavailable, ReceivedMessage
from tests.fakes.calls import Calls, Fault
from tests.fakes.virtual_time import now

EPOCH_S: Final = 1_790_000_000
"""The wall clock at the time 0 of the event loop, in Unix seconds."""

UNAVAILABLE: Final = "the queue answered 503 ServerBusy"
THROTTLED_S: Final = 7.0
"""The Retry-After of a throttled request, in seconds."""

DENIED: Final = "AuthenticationFailed: look at AZURE_STORAGE_CONNECTION_STRING"


@dataclass(slots=True, eq=False)
class Message:
    """A message in the queue.

    `attempts` counts its deliveries, `visible_at` is a time of the event loop.
    """

    id: str
    text: str
    queued_us: int
    attempts: int = 0
    visible_at: float = 0.0
    pop_receipt: str = ""


class Turns:
    """How long a request waits for its turn, at a service that serves one after the other."""

    def __init__(self, requests_a_second: float) -> None:
        self._each_s = 1 / requests_a_second
        self._free_at = 0.0

    def __call__(self) -> float:
        self._free_at = max(self._free_at, now()) + self._each_s
        return self._free_at - now()


class QueueServer:
    """A state queue and its poison queue.

    `on_delete` is called before a message is deleted.
    """

    def __init__(self, on_delete: Callable[[Message], None] = lambda _message: None) -> None:
        self.messages: dict[str, Message] = {}
        self.poison: list[str] = []
        self.poisoned_ids: list[str] = []
        self.deleted: list[str] = []
        self.texts: dict[str, str] = {}
        """The text of every message that was ever put; `queued_us` has its insertion time."""
        self.queued_us: dict[str, int] = {}
        self.fails_to_delete: Callable[[Message], bool] = lambda _message: False
        self._on_delete = on_delete
        self._receipts = 0

    def put(self, text: str, *, attempts: int = 0, after_s: float = 0.0) -> str:
        """Put a message that was delivered `attempts` times before; returns its id.

        It becomes visible after `after_s` seconds.
        """
        name = f"m{len(self.texts)}"
        queued_us = (EPOCH_S + int(now())) * 1_000_000
        self.messages[name] = Message(name, text, queued_us, attempts, now() + after_s)
        self.texts[name], self.queued_us[name] = text, queued_us
        return name

    def receive(self, limit: int, visibility_s: float) -> list[Message]:
        """Return the visible messages, each with a new pop receipt."""
        ordered = sorted(self.messages.values(), key=lambda one: one.visible_at)
        visible = [one for one in ordered if one.visible_at <= now()][:limit]
        for one in visible:
            one.attempts += 1
            one.visible_at = now() + visibility_s
            one.pop_receipt = self._new_receipt()
        return visible

    def delete(self, name: str, receipt: str) -> DeleteResult:
        """Delete a message, if this is its newest pop receipt."""
        message = self.messages.get(name)
        if message is None:
            return DeleteResult.GONE
        if message.pop_receipt != receipt:
            return DeleteResult.LEASE_LOST
        if self.fails_to_delete(message):
            raise QueueUnavailable(UNAVAILABLE)
        self._on_delete(message)
        self.deleted.append(name)
        del self.messages[name]
        return DeleteResult.DELETED

    def renew(self, name: str, receipt: str, visibility_s: float) -> str | None:
        """Extend a lease; returns the new pop receipt, or None when this one is out of date."""
        message = self.messages.get(name)
        if message is None or message.pop_receipt != receipt:
            return None
        message.visible_at = now() + visibility_s
        message.pop_receipt = self._new_receipt()
        return message.pop_receipt

    def release(self, name: str, receipt: str, hidden_s: float = 0.0) -> None:
        """End a lease, if this is its newest pop receipt."""
        self.renew(name, receipt, hidden_s)

    def copy_to_poison(self, name: str, text: str) -> None:
        """Copy a message to the poison queue."""
        self.poison.append(text)
        self.poisoned_ids.append(name)

    def steal(self, name: str, visibility_s: float = 30.0) -> None:
        """Receive a message as another consumer does, after its lease has ended."""
        self.messages[name].visible_at = -1.0
        assert [one.id for one in self.receive(1, visibility_s)] == [name]

    def end_leases(self) -> None:
        """End every lease: all messages are visible."""
        for message in self.messages.values():
            message.visible_at = now()

    def _new_receipt(self) -> str:
        self._receipts += 1
        return f"r{self._receipts}"


class FakeQueue:
    """One process's client of a queue server; each call takes `latency_s()` seconds.

    Before that it waits `wait_s()` seconds for its turn.
    """

    def __init__(
        self,
        server: QueueServer,
        calls: Calls,
        *,
        visibility_s: float,
        latency_s: Callable[[], float] = lambda: 0.01,
        wait_s: Callable[[], float] = lambda: 0.0,
        on_answer: Callable[[AnswerTime], None] = lambda _answer: None,
    ) -> None:
        self.server = server
        self.calls = calls
        self.renewed_while_deleted: list[str] = []
        self.sent_expired: list[str] = []
        """The messages whose deletion was sent after the end of their lease."""
        self.received: list[int] = []
        self.receive_times: list[float] = []
        self._running: list[tuple[str, str]] = []
        self._visibility_s = visibility_s
        self._latency_s = latency_s
        self._wait_s = wait_s
        self._on_answer = on_answer

    async def receive(self, limit: int) -> list[ReceivedMessage]:
        assert 1 <= limit <= 32
        requested_at = now()
        self.receive_times.append(requested_at)
        messages: list[Message] = []
        dates_us: list[int] = []

        def receive() -> None:
            messages.extend(self.server.receive(limit, self._visibility_s))
            dates_us.append((EPOCH_S + int(now())) * 1_000_000)

        await self._call("receive", receive)
        self._on_answer(AnswerTime(requested_at, now(), dates_us[0]))
        self.received.append(len(messages))
        return [
            ReceivedMessage(
                one.id,
                one.pop_receipt,
                Body(one.text, one.queued_us, one.attempts),
                requested_at + self._visibility_s,
                EPOCH_S + requested_at - one.queued_us / 1e6,
            )
            for one in messages
        ]

    async def delete(self, message: ReceivedMessage) -> DeleteResult:
        results: list[DeleteResult] = []
        if now() >= message.leased_until:
            self.sent_expired.append(message.id)
        receipt = message.pop_receipt
        await self._call(
            "delete", lambda: results.append(self.server.delete(message.id, receipt)), message.id
        )
        return results[0]

    async def renew(self, message: ReceivedMessage) -> bool:
        requested_at, receipt = now(), message.pop_receipt
        new: list[str | None] = []
        await self._call(
            "renew",
            lambda: new.append(self.server.renew(message.id, receipt, self._visibility_s)),
            message.id,
        )
        if new[0] is None:
            return False
        message.pop_receipt = new[0]
        message.leased_until = requested_at + self._visibility_s
        return True

    async def release(self, message: ReceivedMessage, hidden_s: int = 0) -> None:
        receipt = message.pop_receipt
        await self._call(
            "release", lambda: self.server.release(message.id, receipt, hidden_s), message.id
        )

    async def depth(self) -> int:
        depths: list[int] = []
        await self._call("depth", lambda: depths.append(len(self.server.messages)))
        return depths[0]

    async def poison_depth(self) -> int:
        depths: list[int] = []
        await self._call("poison_depth", lambda: depths.append(len(self.server.poison)))
        return depths[0]

    async def put_poison(self, message: ReceivedMessage) -> None:
        await self._call(
            "put_poison", lambda: self.server.copy_to_poison(message.id, message.body.text)
        )

    async def _call(self, operation: str, do: Callable[[], None], name: str = "") -> None:
        fault = self.calls.begin(operation)
        latency_s = self._latency_s()
        if {("renew", name), ("delete", name)} <= {*self._running, (operation, name)}:
            self.renewed_while_deleted.append(name)
        self._running.append((operation, name))
        concurrent = sum(one == operation for one, _ in self._running)
        most = self.calls.most_concurrent
        most[operation] = max(most[operation], concurrent)
        try:
            await asyncio.sleep(self._wait_s() + latency_s / 2)
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
            self._running.remove((operation, name))
