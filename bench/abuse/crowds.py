"""The crowds: what each hostile client sends, whether it reads, and when it comes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.abuse.wire import ping, pong, request, text_message, upgrade


@dataclass(frozen=True)
class Crowd:
    """Clients that all do the same.

    Each sends `first`, and then `again` every `again_s`. Closed ones connect again if `returns`;
    with `stays_s` each closes itself after so long, and with `leave_s` all do at once, again and
    again. `per_second` limits new connections.
    `instead` names a crowd that comes in the phases without this one, for a comparison with it; if
    there is none, one with `again` goes to a port where nobody answers then.
    """

    says: str
    sockets: int
    first: bytes = b""
    again: bytes = b""
    again_s: float = 1.0
    reads: bool = True
    returns: bool = True
    stays_s: float | None = None
    leave_s: float | None = None
    per_second: float = 2000.0
    receive_buffer: int | None = None
    instead: str | None = None


_FOREIGN: Final = upgrade("/ws", "Origin: https://evil.example")
_NAMES: Final = ",".join(f'"nobody-{number}"' for number in range(1000))
_STORM: Final = text_message(b'{"type":"subscribe","pillows":"all"}')
_FIELDS: Final = "&".join("a" for _ in range(65_000))

_SENDERS: Final = "clients that send"

CROWDS: Final[Mapping[str, Crowd]] = {
    "ordinary clients": Crowd("opens a WebSocket and reads, as a page does", 1000, upgrade()),
    _SENDERS: Crowd("does the same, and sends a pong a second", 1000, upgrade(), pong()),
    "half-open": Crowd("connects and sends nothing", 10_000, reads=False),
    "half request": Crowd(
        "sends half of a request's head, then a byte a second", 1000, b"GET / HTTP/1.1\r\nA: ", b"x"
    ),
    "request in bytes": Crowd(
        "sends half of a request's head, then a byte twenty times a second",
        1000,
        b"GET / HTTP/1.1\r\nA: ",
        b"x",
        again_s=0.05,
    ),
    "half body": Crowd(
        "sends a head, then a byte of its body a second",
        1000,
        request("/api/pillows", "Content-Length: 60000", method="POST"),
        b"x",
    ),
    "refused origin": Crowd(
        "opens a WebSocket from a foreign page, and stays when refused", 1000, _FOREIGN, reads=False
    ),
    "never reads": Crowd(
        "opens a WebSocket and reads nothing", 1000, upgrade(), reads=False, receive_buffer=4096
    ),
    "never reads HTTP": Crowd(
        "asks for all pillows and reads nothing",
        1000,
        request("/api/pillows"),
        reads=False,
        receive_buffer=4096,
    ),
    "half message": Crowd(
        "sends half of a 64 KiB message, then a byte a second",
        1000,
        upgrade() + text_message(b"x" * 60_000)[:30_000],
        b"x",
        instead=_SENDERS,
    ),
    "subscribe storm": Crowd(
        "subscribes to everything ten times a second", 100, upgrade(), _STORM, again_s=0.1
    ),
    "ping flood": Crowd(
        "sends 500 pings ten times a second",
        100,
        upgrade(),
        ping(b"x") * 500,
        again_s=0.1,
    ),
    "unasked pongs": Crowd(
        "asks for a pillow that nobody has, and sends twenty pongs a second",
        1000,
        upgrade("/ws?pillow=nobody"),
        pong(),
        again_s=0.05,
    ),
    "bytes behind events": Crowd(
        "asks for the events of a pillow that nobody has, and sends twenty bytes a second",
        1000,
        request("/events?pillow=nobody"),
        b"x",
        again_s=0.05,
    ),
    "names nobody has": Crowd(
        "subscribes to 1,000 unknown pillows",
        1000,
        upgrade() + text_message(b'{"type":"subscribe","pillows":[%b]}' % _NAMES.encode()),
    ),
    "comma headers": Crowd(
        "asks with 120 KB of commas in Accept-Encoding, again and again",
        8,
        request("/", "Accept-Encoding: " + "," * 120_000),
        per_second=50,
        stays_s=0.2,
    ),
    "65,000 fields": Crowd(
        "asks with a query of 65,000 fields, again and again",
        8,
        upgrade(f"/ws?{_FIELDS}"),
        per_second=50,
        stays_s=0.2,
    ),
    "connect flood": Crowd("connects and closes", 500, reads=False, stays_s=0.0, per_second=2000),
    "handshake flood": Crowd(
        "opens a WebSocket and closes", 500, upgrade(), stays_s=0.1, per_second=1000
    ),
    "all leave at once": Crowd(
        "asks for a pillow that nobody has, and closes with all others, every second",
        1000,
        upgrade("/ws?pillow=nobody"),
        leave_s=1.0,
    ),
    "request flood": Crowd(
        "asks for the page on a kept connection", 50, request("/"), request("/"), again_s=0.05
    ),
}
"""By the name that `--only` takes."""
