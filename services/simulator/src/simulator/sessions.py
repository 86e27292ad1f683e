"""MQTT sessions with what the simulator needs besides: to vanish, and to hear only what is new.

They reach beneath `runtime.mqtt`, which no service has a reason to.
"""

import asyncio
import contextlib
import socket
from typing import Any, Final

from runtime.mqtt import MqttSession

_NOTHING_RETAINED: Final = 2
"""MQTT 5, 3.8.3.1: do not send retained messages at the time of the subscription."""

_AT_ONCE: Final = 1000


class PillowSession(MqttSession):
    """A session that can end as a pillow's does whose network has gone."""

    def cut(self) -> None:
        """End the connection without a word: the broker is to say the last will."""
        plain = self._paho.socket() if self._paho is not None else None
        if plain is not None:
            with contextlib.suppress(OSError):
                plain.shutdown(socket.SHUT_RDWR)


class NewsSession(MqttSession):
    """A session that is not sent what was retained before it, where the protocol can say so.

    A fleet's hundred thousand states would hold up its beginning.
    It takes all that has arrived in a turn of the loop, not one message: beside a sender that
    fills the turns it would fall behind without end.
    """

    _heard = 0
    _is_draining = False

    def _received(self, client: object, userdata: object, message: Any) -> None:
        super()._received(client, userdata, message)
        self._heard += 1
        if not self._is_draining:
            self._is_draining = True
            asyncio.get_running_loop().call_soon(self._drain)

    def _drain(self) -> None:
        paho = self._paho
        for _ in range(_AT_ONCE):
            before = self._heard
            if paho is None or self._paho is not paho:
                break
            paho.loop_read()
            if self._heard == before:
                break
        self._is_draining = False

    def _subscriptions(self) -> Any:
        asked = super()._subscriptions()
        for _, options in asked:
            if hasattr(options, "retainHandling"):
                options.retainHandling = _NOTHING_RETAINED
        return asked
