"""OrderedPublisher confirms by loop-back, for brokers that speak MQTT 3.1.1.

Such a broker cannot report that its ACL refused a publish: mosquitto acknowledges and drops it.
But it sends every client what it subscribes to, its own publishes included, so a publish is
confirmed when it has been acknowledged and has come back.
It was refused when it has not come back and a later publish has. A time alone tells nothing,
because on a slow link a publish comes back behind everything that the broker sent before.
"""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final

from runtime.mqtt import BrokerLost, PublishRefused

LOOP_BACK_TIMEOUT_S: Final = 5.0
"""How long after its acknowledgement a publish may take to come back before a round trip checks
whether it was refused, in seconds; also the time after which another round trip is begun."""

_Key = tuple[str, bytes]


class PublishConfirms:
    """The publishes that have not come back yet, by pillow and payload.

    `round_trip` publishes a mark; its future is done when the mark is back. It raises BrokerLost.
    """

    def __init__(self, round_trip: Callable[[], asyncio.Future[None]]) -> None:
        self._round_trip = round_trip
        self._overdue: list[_PendingConfirm] = []
        self._checking: asyncio.Task[None] | None = None
        self._pending: defaultdict[_Key, deque[_PendingConfirm]] = defaultdict(deque)

    def __len__(self) -> int:
        return sum(map(len, self._pending.values()))

    def expect(
        self, pillow: str, payload: bytes, acknowledged: asyncio.Future[None]
    ) -> asyncio.Future[None]:
        """Return a future that is done when a publish was acknowledged and has come back.

        It raises what `acknowledged` raises, BrokerLost when the connection ends before, and
        PublishRefused when a later publish has come back LOOP_BACK_TIMEOUT_S after it, and it has
        not.
        """
        pending = _PendingConfirm(self, (pillow, payload))
        self._pending[pillow, payload].append(pending)
        acknowledged.add_done_callback(pending.on_acknowledged)
        return pending.confirmed

    def receive(self, pillow: str, payload: bytes) -> bool:
        """Match a message from the broker with the oldest publish that it can be, if any."""
        same = self._pending.get((pillow, payload))
        if not same:
            return False
        same[0].on_received()
        return True

    def fail_all(self, error: str) -> None:
        """Fail every pending publish with BrokerLost, because the connection was lost."""
        for same in tuple(self._pending.values()):
            for pending in tuple(same):
                pending.finish(BrokerLost(error))

    def check_overdue(self, pending: "_PendingConfirm") -> None:
        """Refuse a publish, unless it comes back before a mark that is published now."""
        self._overdue.append(pending)
        if self._checking is None or self._checking.done():
            self._checking = asyncio.ensure_future(self._check())

    async def _check(self) -> None:
        with contextlib.suppress(BrokerLost):
            while self._overdue:
                overdue, self._overdue = self._overdue, []
                await self._any_round_trip()
                for pending in overdue:
                    pending.refuse()

    async def _any_round_trip(self) -> None:
        """Wait until one mark is back; a broker may discard some, as it may any message."""
        under_way: set[asyncio.Future[None]] = set()
        while True:
            under_way.add(self._round_trip())
            done, _ = await asyncio.wait(
                under_way, timeout=LOOP_BACK_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                done.pop().result()
                return

    def _remove(self, pending: "_PendingConfirm") -> None:
        same = self._pending.get(pending.key)
        if same and pending in same:
            same.remove(pending)
            if not same:
                del self._pending[pending.key]


class _PendingConfirm:
    """One publish that is not confirmed yet."""

    def __init__(self, confirms: PublishConfirms, key: _Key) -> None:
        self.key = key
        self.confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._confirms = confirms
        self._acknowledged = False
        self._received = False
        self._timeout: asyncio.TimerHandle | None = None

    def on_received(self) -> None:
        self._received = True
        self._confirms._remove(self)
        if self._acknowledged:
            self.finish(None)

    def on_acknowledged(self, acknowledged: asyncio.Future[None]) -> None:
        if acknowledged.cancelled():
            self.finish(BrokerLost("stopped"))
            return
        error = acknowledged.exception()
        if error is not None or self._received:
            self.finish(error)
            return
        self._acknowledged = True
        loop = asyncio.get_running_loop()
        self._timeout = loop.call_later(LOOP_BACK_TIMEOUT_S, self._confirms.check_overdue, self)

    def finish(self, error: BaseException | None) -> None:
        self._confirms._remove(self)
        if self._timeout is not None:
            self._timeout.cancel()
        if self.confirmed.done():
            return
        if error is None:
            self.confirmed.set_result(None)
        else:
            self.confirmed.set_exception(error)
            self.confirmed.exception()  # a caller that was cancelled leaves no unhandled error

    def refuse(self) -> None:
        self.finish(
            PublishRefused(
                f"the state of {self.key[0]} was acknowledged and did not come back, and what was "
                "published later did; MQTT 3.1.1 has no other way to say that the ACL refused it; "
                "check the ACL and the user in MQTT_URL"
            )
        )
