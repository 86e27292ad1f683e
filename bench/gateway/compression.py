"""What compressing a frame costs and saves, by its size; short frames are sent uncompressed."""

import json
import statistics
import time
from typing import Any, Final

from gateway.fanout.encoding import MIN_DEFLATE_BYTES, Frame, deflated_message

_STATES: Final = (1, 2, 4, 8, 32, 128, 1000)
_ROUNDS: Final = 7


def measure() -> list[dict[str, Any]]:
    """Compress frames of 1 to 1000 states; each figure is the median of several rounds."""
    return [_one(states) for states in _STATES]


def _one(states: int) -> dict[str, Any]:
    frame = Frame(_update(states))
    times, size = [], 0
    for _ in range(_ROUNDS):
        began_s = time.process_time()
        repeats = max(1, 2000 // states)
        for _ in range(repeats):
            size = len(deflated_message(frame.data))
        times.append((time.process_time() - began_s) / repeats * 1e6)
    return {
        "states": states,
        "bytes": len(frame.websocket),
        "compressed": size,
        "cpu_us": round(statistics.median(times), 1),
        "is_compressed": len(frame.data) >= MIN_DEFLATE_BYTES,
    }


def _update(states: int) -> bytes:
    """Return an update in which pillows differ as real ones do: id, state, time, sequence, hops."""
    pillows = [
        {
            "pillow": f"cloud-{number}",
            "state": ("hugging", "neutral", "spinning", "shaking")[number % 4],
            "at": f"2026-11-22T06:{number // 60 % 60:02}:{number % 60:02}.{number * 37 % 1000:03}Z",
            "seq": number * 17 % 4096,
            "confidence": round(0.5 + number * 31 % 50 / 100, 2),
            "battery": round(number * 53 % 100 / 100, 2),
            "hops": {
                "queued": 1763791200000 + number * 977 % 10_000,
                "polled": 1763791200010 + number * 977 % 10_000,
                "published": 1763791200012 + number * 977 % 10_000,
            },
        }
        for number in range(states)
    ]
    body = {"type": "update", "cursor": "k3f9a1b2:121", "sent": 1763791200456, "pillows": pillows}
    return json.dumps(body, separators=(",", ":")).encode()
