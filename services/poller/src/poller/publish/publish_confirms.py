"""Publishes confirmed by their own echo, for brokers that speak MQTT 3.1.1.

Such a broker cannot say that its ACL refused a publish: mosquitto acknowledges it and drops it.
But it sends every client all it subscribes to, its own publishes too: what was taken comes back.
"""

import asyncio
from collections import defaultdict, deque
from typing import Final

from runtime.mqtt import BrokerLost, PublishRefused

ECHO_S: Final = 5.0
"""How long after its acknowledgement a publish may take to come back."""

_Key = tuple[str, bytes]


class PublishConfirms:
    """The publishes that have not come back yet, by pillow and payload."""

    def __init__(self) -> None:
        self._awaited: defaultdict[_Key, deque[_Awaited]] = defaultdict(deque)

    def confirm(
        self, pillow: str, payload: bytes, acknowledged: asyncio.Future[None]
    ) -> asyncio.Future[None]:
        """Return a future that is done when a publish was acknowledged and has come back.

        It raises what `acknowledged` raises, BrokerLost when the connection ends in between, and
        PublishRefused when nothing comes back.
        """
        awaited = _Awaited(self, (pillow, payload))
        self._awaited[pillow, payload].append(awaited)
        acknowledged.add_done_callback(awaited.acknowledge)
        return awaited.confirmed

    def hear(self, pillow: str, payload: bytes) -> None:
        """Take in what came from the broker."""
        same = self._awaited.get((pillow, payload))
        if same:
            same[0].hear()

    def lose(self, why: str) -> None:
        """Take in that the connection has ended: what has not come back will not."""
        for same in tuple(self._awaited.values()):
            for awaited in tuple(same):
                awaited.end(BrokerLost(why))

    def _forget(self, awaited: "_Awaited") -> None:
        same = self._awaited.get(awaited.key)
        if same and awaited in same:
            same.remove(awaited)
            if not same:
                del self._awaited[awaited.key]


class _Awaited:
    """One publish on its way there and back."""

    def __init__(self, echoes: PublishConfirms, key: _Key) -> None:
        self.key = key
        self.confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._echoes = echoes
        self._acknowledged = False
        self._heard = False
        self._deadline: asyncio.TimerHandle | None = None

    def hear(self) -> None:
        self._heard = True
        self._echoes._forget(self)
        if self._acknowledged:
            self.end(None)

    def acknowledge(self, acknowledged: asyncio.Future[None]) -> None:
        if acknowledged.cancelled():
            self.end(BrokerLost("stopped"))
            return
        error = acknowledged.exception()
        if error is not None or self._heard:
            self.end(error)
            return
        self._acknowledged = True
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(ECHO_S, self._late)

    def end(self, error: BaseException | None) -> None:
        self._echoes._forget(self)
        if self._deadline is not None:
            self._deadline.cancel()
        if self.confirmed.done():
            return
        if error is None:
            self.confirmed.set_result(None)
        else:
            self.confirmed.set_exception(error)
            self.confirmed.exception()  # whoever gave up waiting is no unhandled error

    def _late(self) -> None:
        self.end(
            PublishRefused(
                f"the state of {self.key[0]} was acknowledged and did not come back within "
                f"{ECHO_S:g} s; MQTT 3.1.1 has no other way to say that the ACL refused it"
            )
        )
