"""What comes from the broker, read in large pieces: messages and acknowledgements are taken here.

paho 2.2 asks the system four times for each message, takes one each time the event loop finds the
socket readable, and makes some thirty objects of it: thousands a second would leave no time for
anything else. PUBLISH and PUBACK are the packets that come often, and simple; every other packet,
and every PUBLISH that is odd in any way, goes to paho as it came.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

PIECE_BYTES: Final = 65_536
"""How much is read at once; all messages in it are handed on in one go."""

_SUCCESS: Final = 0
_PUBLISH: Final = 0x30
_PUBACK: Final = 0x40
_MOST_LENGTH_BYTES: Final = 4


class Publish(NamedTuple):
    """A message as it came; `mid` is what is to be acknowledged, 0 for nothing."""

    topic: str
    payload: bytes
    retained: bool
    mid: int


def packet_end(data: bytes, start: int) -> tuple[int, int] | None:
    """Return where the body of the packet at `start` begins and ends; None while that is not known.

    Raises ValueError where no packet can be: the length goes on and on.
    """
    length = 0
    for number in range(_MOST_LENGTH_BYTES):
        at = start + 1 + number
        if at >= len(data):
            return None
        length |= (data[at] & 0x7F) << (7 * number)
        if data[at] < 0x80:
            return at + 1, at + 1 + length
    raise ValueError("a packet's length of more than four bytes")


def read_publish(head: int, body: bytes, *, properties: bool) -> Publish | None:
    """Read a PUBLISH whose first byte is `head`; None for what is to be left to paho.

    `properties` says that the protocol is MQTT 5. No topic alias comes: we allow none.
    """
    qos = (head >> 1) & 3
    at = 2 + (body[0] << 8 | body[1]) if len(body) >= 2 else len(body) + 1
    end_of_topic = at
    mid = 0
    if qos:
        mid = body[at] << 8 | body[at + 1] if len(body) >= at + 2 else 0
        at += 2
    if properties:
        if len(body) <= at or body[at] >= 0x80:
            return None  # more than 127 bytes of properties
        at += 1 + body[at]
    if at > len(body) or end_of_topic == 2 or qos > 1 or (qos == 1 and mid == 0):
        return None
    try:
        topic = body[2:end_of_topic].decode()
    except UnicodeDecodeError:
        return None
    return Publish(topic, body[at:], bool(head & 1), mid)


class Intake:
    """Stands between a paho client and its socket, and between the event loop and the client."""

    def __init__(
        self,
        paho: Any,
        on_message: Callable[[str, bytes, bool], None],
        on_acknowledged: Callable[[int, int], None],
        *,
        properties: bool,
    ) -> None:
        """`on_message` is called with topic, payload, and whether it was retained.

        `on_acknowledged` is called with a publish's packet id and the broker's reason code.
        """
        self._paho = paho
        self._on_message = on_message
        self._on_acknowledged = on_acknowledged
        self._properties = properties
        self._receive: Callable[[int], bytes] = paho._sock_recv
        self._read: Callable[[], int] = paho.loop_read
        self._rest = b""
        self._for_paho = b""
        self._ended = False
        paho._sock_recv = self._give_paho
        paho.loop_read = self.read

    def read(self, _max_packets: int = 1) -> int:
        """Take in what there is, up to a piece; returns paho's word for how it went."""
        try:
            piece = self._receive(PIECE_BYTES)
        except BlockingIOError:
            return _SUCCESS
        except OSError:
            piece = b""  # paho is told that it is over
        if not piece:
            self._ended = True
            return self._read()
        data, at = self._rest + piece, 0
        acknowledgements = []
        outcome = _SUCCESS
        while outcome == _SUCCESS and at < len(data):
            try:
                bounds = packet_end(data, at)
            except ValueError:
                outcome, at = self._hand_over(data[at:]), len(data)
                break
            if bounds is None or bounds[1] > len(data):
                break
            begin, end = bounds
            message = None
            if data[at] & 0xF0 == _PUBLISH:
                message = read_publish(data[at], data[begin:end], properties=self._properties)
            elif data[at] == _PUBACK and end - begin >= 2:
                # Its properties, if any, tell nothing that the reason does not.
                reason = data[begin + 2] if end - begin > 2 else _SUCCESS
                self._on_acknowledged(data[begin] << 8 | data[begin + 1], reason)
                at = end
                continue
            if message is None:
                outcome = self._hand_over(data[at:end])
            else:
                self._on_message(message.topic, message.payload, message.retained)
                if message.mid:
                    acknowledgements.append(message.mid)
            at = end
        self._rest = data[at:]
        if acknowledgements and outcome == _SUCCESS:
            self._acknowledge(acknowledgements)
        return outcome

    def _acknowledge(self, mids: list[int]) -> None:
        """Acknowledge messages with one write for all of a piece."""
        packets = b"".join(b"\x40\x02%b" % mid.to_bytes(2, "big") for mid in mids)
        self._paho._packet_queue(_PUBACK, packets, mids[-1], 1)

    def _hand_over(self, packet: bytes) -> int:
        """Have paho read a packet."""
        self._for_paho = packet
        outcome = self._read()
        while outcome == _SUCCESS and self._for_paho:
            outcome = self._read()
        return outcome

    def _give_paho(self, size: int) -> bytes:
        if not self._for_paho and not self._ended:
            raise BlockingIOError  # it reads on for as long as it waits for answers
        taken, self._for_paho = self._for_paho[:size], self._for_paho[size:]
        return taken
