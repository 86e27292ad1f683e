"""Unread bytes: what a peer has not acknowledged, by which progress is measured."""

import asyncio
import fcntl
import sys
import termios

from gateway.fanout.raw_send import NO_DESCRIPTOR


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
