"""Whether all retained messages have arrived: decided by marks that the session sends itself. Pure.

A mark is a publish of the session on a topic of its own, with a value that no other connection
uses, so that neither a retain flag nor an older message can be taken for it.
The marks leave in one write behind SUBSCRIBE, in this order:

- the direct mark, QoS 0: no broker queues it behind an in-flight window
- the queued mark, QoS 1: a broker that cuts the retained set short, because its queue is full,
  discards this mark too

All retained messages are here when the queued mark is back. Where it stays away, they are here if
the direct mark is back and no retained message has arrived behind it: NATS sends the set at once
and keeps the queued mark for half a minute if the set is larger than its window. Retained messages
behind the direct mark, and no queued mark, mean a set that was cut short.
Some brokers (rumqttd) send a mark before the retained messages of another filter. A confirming mark
is therefore sent afterwards, again and again until none arrived before it. The marks of such a
broker do not tell whether the set is whole (rumqttd sends at most a hundred with QoS 1), so the set
is asked for once more with QoS 0, for which no broker has a window.

A retained mark that is published before SUBSCRIBE and asked for by a filter with a wildcard, the
probe, tells whether the broker delivers retained messages to such filters.
"""

from typing import Final

NOT_DELIVERED: Final = (
    "the broker does not deliver retained messages to subscriptions with a wildcard; "
    "after a start, each pillow is unknown until it reports"
)

_PROBE: Final = b"probe"
_DIRECT: Final = b"direct"
_QUEUED: Final = b"queued"


class RetainedSet:
    """The marks of one connection, and what has come back. `token` is unique to the connection."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self.probe = self._mark(_PROBE)
        self.direct = self._mark(_DIRECT)
        self.queued = self._mark(_QUEUED)
        self._expected = {self.probe, self.direct, self.queued}
        self._returned: set[bytes] = set()
        self._confirming = b""
        self._confirmations = 0
        self.count = 0
        """The number of retained messages that have arrived."""
        self._count_at_direct = self._count_at_queued = 0
        self._count_at_confirming = 0
        self._has_wildcard_proof = False

    @property
    def has_mark(self) -> bool:
        """Whether any mark is back, so that the topic of the marks can be written and read."""
        return bool(self._returned)

    @property
    def has_queued(self) -> bool:
        """Whether the queued mark is back."""
        return self.queued in self._returned

    @property
    def is_disordered(self) -> bool:
        """Whether retained messages arrived behind the queued mark: it does not end them."""
        return self.has_queued and self.count > self._count_at_queued

    @property
    def came_at_once(self) -> bool:
        """Whether the direct mark is back, and no retained message has arrived behind it."""
        return self.direct in self._returned and self.count == self._count_at_direct

    @property
    def delivers_retained(self) -> bool:
        """Whether the broker delivers retained messages to filters with a wildcard."""
        return self.probe in self._returned or self._has_wildcard_proof

    @property
    def is_confirmed(self) -> bool:
        """Whether the last confirming mark is back, with no retained message before it."""
        return self._confirming in self._returned and self.count == self._count_at_confirming

    @property
    def confirming_returned(self) -> bool:
        """Whether the last confirming mark is back."""
        return self._confirming in self._returned

    def next_confirming(self) -> bytes:
        """Return a new confirming mark, which is published now."""
        self._confirmations += 1
        self._confirming = self._mark(b"confirming-%d" % self._confirmations)
        self._expected.add(self._confirming)
        self._count_at_confirming = self.count
        return self._confirming

    def receive_mark(self, payload: bytes) -> bool:
        """Note a message on the topic of the marks; return whether it is one of these marks."""
        if payload not in self._expected:
            return False
        if payload not in self._returned:
            if payload == self.direct:
                self._count_at_direct = self.count
            elif payload == self.queued:
                self._count_at_queued = self.count
        self._returned.add(payload)
        return True

    def receive_retained(self, *, proves_wildcard: bool = True) -> None:
        """Note a retained message of another client.

        One whose topic is itself a filter proves nothing about filters with a wildcard.
        """
        self.count += 1
        self._has_wildcard_proof |= proves_wildcard

    def _mark(self, name: bytes) -> bytes:
        return b"%b %b" % (self._token, name)
