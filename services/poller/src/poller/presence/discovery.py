"""Which discovery messages for Home Assistant are written, and when. Pure.

A message is written when the broker has a message that does not match the facts of the pillow.
Pollers do not answer each other: a message of another poller is noted, and compared only after the
next connection, so that two versions of a poller cannot write for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from contract.home_assistant import Facts


class Config(NamedTuple):
    """A message to write; empty: the pillow leaves Home Assistant."""

    pillow: str
    payload: bytes


@dataclass(slots=True)
class _Pillow:
    """What is known of a pillow, and the message that the broker has; None: none."""

    facts: Facts
    has_state: bool = False
    payload: bytes | None = None


class Discovery:
    """The messages of at most `max_pillows`; `on_refused` is called with states of further ones.

    `expire_after_s` holds for pillows that come by the queue, whose availability the poller keeps;
    None: it does not.
    """

    def __init__(
        self,
        encode: Callable[[str, Facts], bytes],
        max_pillows: int,
        expire_after_s: int | None,
        on_refused: Callable[[str], None] = lambda _pillow: None,
    ) -> None:
        self._on_refused = on_refused
        self._encode = encode
        self._max_pillows = max_pillows
        self._expire_after_s = expire_after_s
        self._pillows: dict[str, _Pillow] = {}
        self._is_complete = False

    def __len__(self) -> int:
        return len(self._pillows)

    def begin_connection(self) -> None:
        """Forget what the broker has, because it sends all of it again."""
        self._is_complete = False
        for known in self._pillows.values():
            known.payload, known.has_state = None, False

    def needs_battery(self, pillow: str) -> bool:
        """Return whether a message would change if a state of this pillow has a battery."""
        known = self._pillows.get(pillow)
        return self._has_room if known is None else not known.facts.has_battery

    def receive_state(self, pillow: str, *, by_queue: bool, has_battery: bool) -> Config | None:
        """Note a state of a pillow; returns a message that has to be written."""
        known = self._known(pillow)
        if known is None:
            self._on_refused(pillow)
            return None
        if not known.has_state:
            known.has_state = True
            expire_after_s = self._expire_after_s if by_queue else None
            known.facts = replace(
                known.facts,
                expire_after_s=expire_after_s,
                has_availability=known.facts.has_availability or expire_after_s is not None,
            )
        elif not has_battery or known.facts.has_battery:
            return None
        if has_battery:
            known.facts = replace(known.facts, has_battery=True)
        return self._changed(pillow, known)

    def receive_word(self, pillow: str) -> Config | None:
        """Note that there is a word of availability; returns a message that has to be written."""
        known = self._known(pillow)
        if known is None or known.facts.has_availability:
            return None
        known.facts = replace(known.facts, has_availability=True)
        return self._changed(pillow, known)

    def receive_config(self, pillow: str, payload: bytes) -> None:
        """Note a message that the broker has, or that another poller wrote."""
        known = self._known(pillow)
        if known is not None:
            known.payload = payload or None
            # A pillow keeps its battery, also while its states do not mention it.
            if b'"battery":{' in payload:
                known.facts = replace(known.facts, has_battery=True)

    def end_retained(self, has_state: Callable[[str], bool] | None) -> list[Config]:
        """Return what has to be written, now that the broker has sent all that it has.

        A pillow was removed if the broker has sent no state of it, and `has_state` is false for it.
        `has_state` is None where the broker does not send what it retains: then no pillow leaves.
        """
        self._is_complete = True
        configs = []
        for pillow, known in list(self._pillows.items()):
            if known.has_state:
                config = self._changed(pillow, known)
            elif has_state is None or has_state(pillow):
                continue
            else:
                config = self.remove(pillow)
            if config is not None:
                configs.append(config)
        return configs

    def all(self) -> list[Config]:
        """Return every message, because Home Assistant has started and may not have them."""
        return [
            Config(pillow, known.payload)
            for pillow, known in self._pillows.items()
            if known.payload is not None
        ]

    def remove(self, pillow: str) -> Config | None:
        """Forget a pillow that was removed; returns the message by which it leaves."""
        known = self._pillows.pop(pillow, None)
        if known is None or known.payload is None:
            return None
        return Config(pillow, b"")

    @property
    def _has_room(self) -> bool:
        return len(self._pillows) < self._max_pillows

    def _known(self, pillow: str) -> _Pillow | None:
        known = self._pillows.get(pillow)
        if known is None and self._has_room:
            known = self._pillows[pillow] = _Pillow(Facts())
        return known

    def _changed(self, pillow: str, known: _Pillow) -> Config | None:
        """Return the message of a pillow if the broker has another one, and has sent what it has.

        A pillow appears with its first state.
        """
        if not self._is_complete or not known.has_state:
            return None
        payload = self._encode(pillow, known.facts)
        if payload == known.payload:
            return None
        known.payload = payload
        return Config(pillow, payload)
