"""OrderedPublisher confirms by loop-back, for brokers that speak MQTT 3.1.1.

Such a broker cannot report that its ACL refused a publish: mosquitto acknowledges and drops it.
But it sends every client what it subscribes to, its own publishes included, so a publish is
confirmed when it has been acknowledged and has come back.
"""

import asyncio
from collections import defaultdict, deque
from typing import Final

from runtime.mqtt import BrokerLost, PublishRefused

LOOP_BACK_TIMEOUT_S: Final = 5.0
"""How long after its acknowledgement a publish may take to come back, in seconds."""

_Key = tuple[str, bytes]


class PublishConfirms:
    """The publishes that have not come back yet, by pillow and payload."""

    def __init__(self) -> None:
        self._pending: defaultdict[_Key, deque[_PendingConfirm]] = defaultdict(deque)

    def __len__(self) -> int:
        return sum(map(len, self._pending.values()))

    def expect(
        self, pillow: str, payload: bytes, acknowledged: asyncio.Future[None]
    ) -> asyncio.Future[None]:
        """Return a future that is done when a publish was acknowledged and has come back.

        It raises what `acknowledged` raises, BrokerLost when the connection ends before, and
        PublishRefused when the publish does not come back within LOOP_BACK_TIMEOUT_S.
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
        self._timeout = loop.call_later(LOOP_BACK_TIMEOUT_S, self._on_timeout)

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

    def _on_timeout(self) -> None:
        self.finish(
            PublishRefused(
                f"the state of {self.key[0]} was acknowledged and did not come back within "
                f"{LOOP_BACK_TIMEOUT_S:g} s; MQTT 3.1.1 has no other way to say that the ACL "
                "refused it; check the ACL and the user in MQTT_URL"
            )
        )
