"""Liveness: whether a client that shows no sign of life is dead, or only slow. Pure.

A pong is due when the client has read everything that was sent before the ping. A slow client needs
minutes for that, and its system tells of its reading only now and then: when there is room for a
whole segment, or for a sixteenth of its buffer.
"""

from typing import Final

from contract.frames import HEARTBEAT_S

SLOWEST_BYTES_PER_S: Final = 128
"""What a client must read a second; one that has nothing else to read answers at the next ping."""


def may_be_reading(outstanding_bytes: int, silent_heartbeats: int) -> bool:
    """Return whether a client without a sign of life may still be reading what it was sent.

    `outstanding_bytes` were sent since its last sign of life, which is as many heartbeats ago.
    """
    return outstanding_bytes >= silent_heartbeats * HEARTBEAT_S * SLOWEST_BYTES_PER_S
