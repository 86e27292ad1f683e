"""What a program shows on /metrics."""

import math


def sample(text: str, name: str, absent: float = math.nan) -> float:
    """Return a sample by its name with labels; `absent` where there is none."""
    for line in text.splitlines():
        if line.startswith(f"{name} "):
            return float(line.rpartition(" ")[2])
    return absent
