"""`at_most_every`: events of a rule that come too soon are counted instead of sent. Pure."""

from collections import OrderedDict
from typing import Final

MAX_KEYS: Final = 100_000
"""How many rules and pillows are remembered; above it the one that was sent longest ago goes."""


class Throttle:
    """When the last event of each rule and group was admitted. Times are on one monotonic clock."""

    def __init__(self) -> None:
        self._admitted: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def admit(self, rule: str, group: str, interval_s: float, now_ms: int) -> int | None:
        """Return how many were suppressed before this one; None if this one is, too."""
        if not interval_s:
            return 0
        key = (rule, group)
        last = self._admitted.get(key)
        if last is not None and now_ms - last[0] < interval_s * 1000:
            self._admitted[key] = (last[0], last[1] + 1)
            return None
        self._admitted[key] = (now_ms, 0)
        self._admitted.move_to_end(key)
        if len(self._admitted) > MAX_KEYS:
            self._admitted.popitem(last=False)
        return last[1] if last is not None else 0
