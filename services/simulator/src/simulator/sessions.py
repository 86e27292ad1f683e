"""MQTT sessions with what the simulator needs besides: to vanish, and to hear only what is new.

They reach beneath `runtime.mqtt`, which no service has a reason to.
"""

import contextlib
import socket
from typing import Any, Final

from runtime.mqtt import MqttSession

_NOTHING_RETAINED: Final = 2
"""MQTT 5, 3.8.3.1: do not send retained messages at the time of the subscription."""


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
    """

    def _subscriptions(self) -> Any:
        asked = super()._subscriptions()
        for _, options in asked:
            if hasattr(options, "retainHandling"):
                options.retainHandling = _NOTHING_RETAINED
        return asked
