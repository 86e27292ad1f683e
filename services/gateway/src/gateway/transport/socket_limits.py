"""Socket limits: what the operating system may hold for each connection."""

import socket
from typing import Final

SEND_BUFFER_BYTES: Final = 131_072
"""The size of the send buffer, which is megabytes by default. A state in it can no longer be
replaced by a newer one, so a slow client is shown states as old as the buffer takes to drain."""

RECEIVE_BUFFER_BYTES: Final = 32_768
"""The size of the receive buffer: more than any message that a client may send."""


def set_socket_limits(listener: socket.socket) -> None:
    """Set the limits on a listening socket; the connections that it accepts inherit them."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
