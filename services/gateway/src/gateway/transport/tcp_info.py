"""TCP information: what the system knows of a peer. It tells one that is gone from a slow one.

`TCP_USER_TIMEOUT` cannot do that: it also ends connections whose peer reads, but opens its window
by less than the next piece of data, as the system of a slow reader does.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Final, NamedTuple

from contract.frames import HEARTBEAT_S

DEAD_PEER_MS: Final = 2 * HEARTBEAT_S * 1000
"""How long a peer's system may leave data unacknowledged; after that it is gone."""

_UNANSWERED_PROBES: Final = 3
"""How many probes of a closed window may be unanswered; their interval grows to two minutes."""

# struct tcp_info of Linux: probes, unacked, last_ack_recv, bytes_acked, snd_wnd.
_FIELDS: Final = struct.Struct("=3xB20xI28xI60xQ100xI")


class TcpInfo(NamedTuple):
    """The state of one connection.

    `probes` were sent into a closed window since the last answer, `in_flight` segments are
    unacknowledged, and the newest acknowledgement is `ack_age_ms` old.
    `acknowledged` bytes have arrived in all, and the peer has announced a `window` of bytes.
    """

    probes: int
    in_flight: int
    ack_age_ms: int
    acknowledged: int
    window: int

    @property
    def is_peer_gone(self) -> bool:
        """Whether the peer's system does not answer any more.

        It always acknowledges data within its window and answers probes of a closed one, whatever
        the program does.
        """
        is_unanswered = (self.in_flight > 0 and self.window > 0) or (
            self.probes >= _UNANSWERED_PROBES
        )
        return is_unanswered and self.ack_age_ms >= DEAD_PEER_MS


def read_tcp_info(transport: asyncio.Transport) -> TcpInfo | None:
    """Return the information about a transport's socket; None where the system has none."""
    own = transport.get_extra_info("socket")
    if own is None or not hasattr(socket, "TCP_INFO"):
        return None
    # A system without these fields, or a transport that is closed.
    with contextlib.suppress(OSError, struct.error, ValueError):
        return TcpInfo(
            *_FIELDS.unpack(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _FIELDS.size))
        )
    return None
