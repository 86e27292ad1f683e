"""Connection limits: how many sockets may be in each stage at once. Pure.

Clients and requests that are being answered are not evicted, so together they stay below the total:
what remains is for newcomers, which can then be answered, if only with a refusal.
"""

from dataclasses import dataclass
from typing import Final

RESERVED_FILES: Final = 64
"""Open files that are reserved for everything but connections: the broker, logs, the interpreter.
A gateway without connections has about 20."""

UNLIMITED: Final = 2**63 - 1
_MIN_TOTAL: Final = 4


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of accepted sockets: of all, and of those in each stage.

    `clients` subscribe, `pending` ones have not sent a whole request head, `idle` ones are kept
    alive between two requests, and `requests` is the number of ordinary requests at once.
    `newcomers` is the room that clients and requests together leave.
    """

    total: int = UNLIMITED
    clients: int = UNLIMITED
    pending: int = 1000
    idle: int = 1000
    requests: int = 500
    newcomers: int = 0


def derive_limits(wanted: ConnectionLimits, open_files: int | None) -> ConnectionLimits:
    """Return limits that the limit of open files allows; None means that there is none.

    In `wanted`, 0 for `total` or `clients` stands for as many as the open files allow.
    """
    allowed = UNLIMITED if open_files is None else max(_MIN_TOTAL, open_files - RESERVED_FILES)
    total = max(_MIN_TOTAL, min(wanted.total or allowed, allowed))
    # What is not for clients is for requests and for newcomers, in equal parts at least.
    spare = max(2, min(wanted.pending + wanted.requests, total // 8))
    newcomers = spare // 2
    return ConnectionLimits(
        total=total,
        clients=min(wanted.clients or total, total - spare),
        pending=min(wanted.pending, total),
        idle=min(wanted.idle, total),
        requests=min(wanted.requests, total - newcomers),
        newcomers=newcomers,
    )
