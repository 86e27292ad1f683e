"""Listening: from when until when states were heard, for `listened`. Pure.

Durations are measured by a monotonic clock; only where a span begins is an instant, fixed when it
is first written, so that a clock that is set later does not move it.
"""

from history.spans import Span


class Listening:
    """The spans of one process. Times are monotonic, in milliseconds; spans in queue time."""

    def __init__(self) -> None:
        self._began_ms: int | None = None
        self._began_us: int | None = None
        self._ended: list[Span] = []

    @property
    def is_on(self) -> bool:
        """Whether a span has begun."""
        return self._began_ms is not None

    def start(self, now_ms: int) -> None:
        """Begin a span, unless there is one."""
        if self._began_ms is None:
            self._began_ms, self._began_us = now_ms, None

    def stop(self, now_ms: int, now_us: int) -> None:
        """End the span; `now_us` is the best known queue time."""
        span = self.span(now_ms, now_us)
        if span is not None:
            self._ended.append(span)
        self._began_ms = self._began_us = None

    def span(self, now_ms: int, now_us: int) -> Span | None:
        """Return the span until now; its beginning stays the same from now on."""
        if self._began_ms is None:
            return None
        if self._began_us is None:
            self._began_us = now_us - (now_ms - self._began_ms) * 1000
        return self._began_us, self._began_us + (now_ms - self._began_ms) * 1000

    def ended(self) -> list[Span]:
        """Return the spans that have ended and are not written."""
        return list(self._ended)

    def discard(self, count: int) -> None:
        """Forget the oldest spans that have ended, because they are written."""
        del self._ended[:count]
