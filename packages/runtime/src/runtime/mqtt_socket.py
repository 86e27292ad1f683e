"""The socket under paho, on our loop: read to its end, written when it takes more.

aiomqtt's own way stops short in two places that uvloop punishes, both seen under fire:
it reads once each time it is told to, and when data and a reset came together it is told only once;
and it adds a writer for a socket that may be closed.
"""

import asyncio
import contextlib
import select
from typing import Any


def drive(client: Any) -> None:
    """Have an aiomqtt client, not connected yet, read and write our way."""
    paho = client._client
    loop = asyncio.get_running_loop()
    opened = paho.on_socket_open

    def on_socket_open(this: object, userdata: object, sock: Any) -> None:
        opened(this, userdata, sock)
        # After aiomqtt's, whose reader this replaces; paho calls from its connecting thread.
        loop.call_soon_threadsafe(_add_reader, loop, client, sock)

    def on_socket_register_write(_paho: object, _userdata: object, sock: Any) -> None:
        loop.call_soon_threadsafe(_add_writer, loop, paho, sock)

    paho.on_socket_open = on_socket_open
    paho.on_socket_register_write = on_socket_register_write


def _add_reader(loop: asyncio.AbstractEventLoop, client: Any, sock: Any) -> None:
    if sock.fileno() < 0:
        return
    there_is_more = select.poll()
    there_is_more.register(sock.fileno(), select.POLLIN)
    paho = client._client

    going_on = False

    def read() -> None:
        nonlocal going_on
        try:
            if paho.socket() is not sock or sock.fileno() < 0:
                return
            paho.loop_read()
            if paho.socket() is sock and not (_pending(sock) or there_is_more.poll(0)):
                return
            # Until nothing is left or paho has closed it: whatever came last may be its end. But
            # a piece in each turn of the loop, or a burst would hold up everybody till it is over.
            if not going_on:
                going_on = True
                loop.call_soon(go_on)
        except Exception as error:
            # As aiomqtt has it: what reading raises is the connection's end.
            if not client._disconnected.done():
                client._disconnected.set_exception(error)

    def go_on() -> None:
        nonlocal going_on
        going_on = False
        read()

    loop.add_reader(sock.fileno(), read)


def _add_writer(loop: asyncio.AbstractEventLoop, paho: Any, sock: Any) -> None:
    def write() -> None:
        with contextlib.suppress(OSError):  # who reads from the socket is told the same
            paho.loop_write()

    if sock.fileno() < 0:
        return
    try:
        loop.add_writer(sock.fileno(), write)
    except RuntimeError:
        write()  # uvloop has seen the socket's end; so does who writes to it


def _pending(sock: Any) -> int:
    """Return how many bytes TLS has decoded and not handed out; 0 without TLS."""
    pending = getattr(sock, "pending", None)
    return int(pending()) if pending is not None else 0
