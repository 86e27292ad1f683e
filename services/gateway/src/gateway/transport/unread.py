"""Unread bytes and a peer's progress: what its system has acknowledged, and whether it answers."""

import asyncio
import fcntl
import sys
import termios
from typing import NamedTuple

from gateway.fanout.raw_send import NO_DESCRIPTOR
from gateway.transport.tcp_info import read_tcp_info


class PeerProgress(NamedTuple):
    """`unread` bytes are not acknowledged, `acknowledged` ones are; their differences count.

    `is_gone` says that the peer's system does not answer any more.
    """

    unread: int
    acknowledged: int
    is_gone: bool = False


def descriptor_of(transport: asyncio.Transport) -> int:
    """Return the descriptor that bytes may be written to; the transport closes it.

    A transport closes it after `connection_lost`, so it is open while the client is subscribed.
    """
    own = transport.get_extra_info("socket")
    if own is None or transport.get_extra_info("sslcontext") is not None:
        return NO_DESCRIPTOR
    descriptor: int = own.fileno()
    return descriptor


def unread_bytes(transport: asyncio.Transport, descriptor: int) -> int:
    """Return what the peer has not acknowledged: in the transport and in the system."""
    unread: int = transport.get_write_buffer_size()
    if descriptor != NO_DESCRIPTOR:
        unsent = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
        unread += int.from_bytes(unsent, sys.byteorder)
    return unread


def read_peer(transport: asyncio.Transport, descriptor: int) -> PeerProgress:
    """Return how far a peer has come."""
    unread, info = unread_bytes(transport, descriptor), read_tcp_info(transport)
    if info is None:
        return PeerProgress(unread, -unread)
    return PeerProgress(unread, info.acknowledged, info.is_peer_gone)
