"""Whether somebody looks, as far as gateways have said it on MQTT. Pure.

A gateway says how many clients it has, again and again while it has any. While its status is
`offline` the number is void: it may have died with clients. So is one that is not repeated, because
a gateway that was killed at once with the broker leaves no `offline`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from contract.topics import OFFLINE
from contract.watching import decode_watching

MAX_GATEWAYS: Final = 1000
"""How many gateways are remembered: several times what one broker serves."""

SAID_S: Final = 600.0
"""For how long a number of clients holds, in seconds. Gateways repeat it every ten seconds."""


class Viewers(StrEnum):
    """Whether anybody looks."""

    SOME = "some"
    NONE = "none"
    UNKNOWN = "unknown"
    """No gateway has said a number, or one that is there has not, as older ones do."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """What a gateway said: its number of clients and its status; None is what it did not say.

    `said_s` is when the number came.
    """

    clients: int | None = None
    said_s: float = 0.0
    is_online: bool | None = None


class Gateways:
    """What every gateway has said on the current connection to the broker."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` returns the time in seconds and never goes back."""
        self._clock = clock
        self._gateways: dict[str, Gateway] = {}

    def __len__(self) -> int:
        return len(self._gateways)

    def forget(self) -> None:
        """Forget all, because another connection begins and the broker will tell it again."""
        self._gateways.clear()

    def receive_watching(self, instance: str, payload: bytes) -> bool:
        """Note a gateway's number; what is none counts as absent. False if there is no room."""
        gateway = self._gateways.get(instance, Gateway())
        clients = decode_watching(payload)
        return self._keep(instance, replace(gateway, clients=clients, said_s=self._clock()))

    def receive_status(self, instance: str, payload: bytes) -> bool:
        """Note a gateway's status; an empty one was removed. False if there is no room."""
        gateway = self._gateways.get(instance, Gateway())
        is_online = payload not in (OFFLINE, b"")
        return self._keep(instance, replace(gateway, is_online=is_online))

    @property
    def clients(self) -> int:
        """How many clients all gateways have together, as far as they said."""
        since_s = self._clock() - SAID_S
        there = (one for one in self._gateways.values() if not _is_gone(one))
        return sum(one.clients or 0 for one in there if one.said_s > since_s)

    @property
    def viewers(self) -> Viewers:
        """Whether anybody looks."""
        if self.clients:
            return Viewers.SOME
        said = [one.clients is not None for one in self._gateways.values()]
        online = [one.clients is not None for one in self._gateways.values() if one.is_online]
        return Viewers.NONE if any(said) and all(online) else Viewers.UNKNOWN

    def _keep(self, instance: str, gateway: Gateway) -> bool:
        """Remember a gateway; one that is offline makes room for another."""
        if instance not in self._gateways and len(self) >= MAX_GATEWAYS:
            gone = next((name for name, one in self._gateways.items() if _is_gone(one)), None)
            if gone is None or _is_gone(gateway):
                return False
            del self._gateways[gone]
        self._gateways[instance] = gateway
        return True


def _is_gone(gateway: Gateway) -> bool:
    return gateway.is_online is False
