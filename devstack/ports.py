"""The ports that the stack listens on: given ones are checked, and 0 becomes a free one."""

import argparse
import contextlib
import itertools
import os
import random
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields, replace

from devstack.errors import CannotStart

HOST = "127.0.0.1"

# Free ports are below those that Linux (32768) and macOS (49152) give to outgoing connections. One
# of those may be taken when a program is started again; and on loopback a client that keeps trying
# to connect to such a port can be connected to itself.
FREE_FROM, FREE_BELOW = 20_000, 32_000

FREE_VARIABLE = "DEVSTACK_FREE_PORTS"
"""The environment variable with another range, as `20000-23000`: for processes that start stacks at
the same time."""

_ATTEMPTS = 200


@dataclass(frozen=True, slots=True)
class Ports:
    """A port for each part; 0 means a free one."""

    gateway: int = 0
    mqtt: int = 0
    queue: int = 0
    poller: int = 0
    ops: int = 0


DEFAULT = Ports(gateway=8080, mqtt=1883, queue=10001, poller=8081, ops=8082)

PURPOSES = {
    "gateway": "the page",
    "mqtt": "the MQTT broker",
    "queue": "the queue",
    "poller": "the poller's health and metrics",
    "ops": "the gateway's health and metrics",
}


def parse(text: str) -> int:
    """Return the port of a command line's option; raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a port: a number from 1 to 65535, or 0 for a free one"
        )
    return int(text)


def settle(wanted: Ports) -> Ports:
    """Replace each 0 by a free port; raises CannotStart if one of the others is taken."""
    purposes: dict[int, str] = {}
    for part, port in _each(wanted):
        if port == 0:
            continue
        if port in purposes:
            raise CannotStart(
                f"port {port} is given twice, for {PURPOSES[purposes[port]]} and for "
                f"{PURPOSES[part]}; choose another with --{part}-port (0 for a free one)"
            )
        if problem := _problem(port):
            raise CannotStart(
                f"port {port} for {PURPOSES[part]} {problem}; "
                f"choose another with --{part}-port (0 for a free one)"
            )
        purposes[port] = part
    for part, port in _each(wanted):
        if port == 0:
            purposes[found := free(purposes)] = part
            wanted = replace(wanted, **{part: found})
    return wanted


def preferred(port: int, others: Collection[int]) -> int:
    """Return the port, or 0 if it is taken or one of the others."""
    return 0 if port in others or _problem(port) else port


def free(but_not: dict[int, str] | None = None) -> int:
    """Return a port on which nothing listens now; raises CannotStart.

    It is not returned again while there are others, because what asked for it may not listen yet.
    """
    for port in itertools.islice(_numbers, _ATTEMPTS):
        if port not in (but_not or {}) and _problem(port) is None:
            return port
    raise CannotStart(f"no free port found between {FREE_FROM} and {FREE_BELOW}")


def is_free(port: int) -> bool:
    """Return whether nothing listens on a port now."""
    return _problem(port) is None


def _problem(port: int) -> str | None:
    """Return why a port cannot be used, or None."""
    # Binding fails for a listener on loopback. On macOS only connecting finds one on every address.
    with contextlib.closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except PermissionError:
            return "may not be used by this user"
        except OSError:
            return "is taken"
    with contextlib.closing(socket.socket()) as client:
        client.settimeout(0.5)
        return "is taken" if client.connect_ex((HOST, port)) == 0 else None


def _in_any_order() -> Iterator[int]:
    """Yield the numbers for free ports, again and again in one order."""
    first, _, below = os.environ.get(FREE_VARIABLE, f"{FREE_FROM}-{FREE_BELOW}").partition("-")
    numbers = list(range(int(first), int(below)))
    # A generator that nobody seeds, or two processes would choose the same ports.
    random.SystemRandom().shuffle(numbers)
    yield from itertools.cycle(numbers)


_numbers = _in_any_order()


def _each(ports: Ports) -> Iterator[tuple[str, int]]:
    for field in fields(ports):
        yield field.name, getattr(ports, field.name)
