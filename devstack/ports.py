"""Which ports the stack listens on: asked for, free, or taken."""

import argparse
import contextlib
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from devstack.errors import CannotStart

HOST = "127.0.0.1"

# Free ports come from below where Linux (32768) and macOS (49152) take those of outgoing
# connections. One of theirs may be gone when a part is started again; and a client that keeps
# trying to connect to one can, on loopback, end up connected to itself.
FREE_FROM, FREE_BELOW = 20_000, 32_000


@dataclass(frozen=True, slots=True)
class Ports:
    """A port for each part; 0 is a free one."""

    gateway: int = 0
    mqtt: int = 0
    queue: int = 0
    poller: int = 0


DEFAULT = Ports(gateway=8080, mqtt=1883, queue=10001, poller=8081)

PURPOSES = {
    "gateway": "the page",
    "mqtt": "the MQTT broker",
    "queue": "the queue",
    "poller": "the poller's health and metrics",
}


def parse(text: str) -> int:
    """Read a port from a command line."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 1 to 65535, 0: free")
    return int(text)


def settle(wanted: Ports) -> Ports:
    """Put a free port for each 0; raise CannotStart if one of the others is taken."""
    named: dict[int, str] = {}
    for part, port in _each(wanted):
        if port == 0:
            continue
        if port in named:
            raise CannotStart(
                f"port {port} is asked for twice, for {PURPOSES[named[port]]} and for "
                f"{PURPOSES[part]}; choose another with --{part}-port (0 for a free one)"
            )
        if problem := _problem(port):
            raise CannotStart(
                f"port {port} for {PURPOSES[part]} {problem}; "
                f"choose another with --{part}-port (0 for a free one)"
            )
        named[port] = part
    for part, port in _each(wanted):
        if port == 0:
            named[found := free(named)] = part
            wanted = replace(wanted, **{part: found})
    return wanted


def free(but_not: dict[int, str] | None = None) -> int:
    """Find a port nobody listens on now."""
    for port in random.sample(range(FREE_FROM, FREE_BELOW), k=200):
        if port not in (but_not or {}) and _problem(port) is None:
            return port
    raise CannotStart(f"no free port found between {FREE_FROM} and {FREE_BELOW}")


def _problem(port: int) -> str | None:
    # Binding finds what listens here; on macOS only connecting finds who listens on every address.
    with contextlib.closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except PermissionError:
            return "may not be used by this user"
        except OSError:
            return "is taken"
    with contextlib.closing(socket.socket()) as caller:
        caller.settimeout(0.5)
        return "is taken" if caller.connect_ex((HOST, port)) == 0 else None


def _each(ports: Ports) -> Iterator[tuple[str, int]]:
    for field in fields(ports):
        yield field.name, getattr(ports, field.name)
