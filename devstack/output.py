"""The output of a program: its lines, and where they are kept."""

import asyncio
import re
from collections import deque
from collections.abc import Callable

MAX_LINES = 10_000
"""Number of lines that are kept; the oldest are dropped."""

TAIL_LINES = 15
"""Number of lines that an error message quotes."""


class OutputLog:
    """The newest lines that a program has printed, over all its starts."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._grew = asyncio.Event()

    @property
    def lines(self) -> list[str]:
        """The lines so far, oldest first."""
        return list(self._lines)

    @property
    def text(self) -> str:
        """The lines so far as one text."""
        return "\n".join(self._lines)

    def tail(self) -> list[str]:
        """Return the last TAIL_LINES lines."""
        return self.lines[-TAIL_LINES:]

    def append(self, line: str) -> None:
        """Add a line, and wake every `wait_for`."""
        self._lines.append(line)
        self._grew.set()
        self._grew = asyncio.Event()

    def clear(self) -> None:
        """Remove the lines so far."""
        self._lines.clear()

    async def wait_for(self, pattern: str, *, within_s: float = 10.0) -> str:
        """Return the first line that matches a regular expression, once there is one.

        Raises TimeoutError, whose message quotes the last lines.
        """
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for line in self._lines:
                        if re.search(pattern, line):
                            return line
                    await self._grew.wait()
        except TimeoutError:
            last = "\n".join(self.tail())
            raise TimeoutError(
                f"no line with {pattern!r} in {within_s:g} s; last:\n{last}"
            ) from None


class OutputProtocol(asyncio.SubprocessProtocol):
    """Splits a process's output into lines, and reports the ends of process and output.

    asyncio's streams report the end of a process only after the end of its output, which a child
    that the process left behind may keep open for ever.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self.exited = asyncio.Event()
        self.output_ended = asyncio.Event()
        self._on_line = on_line
        self._rest = b""

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        """Pass on complete lines."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_line(line.decode(errors="replace").rstrip("\r"))

    def pipe_connection_lost(self, _fd: int, _error: Exception | None) -> None:
        """Pass on what follows the last newline."""
        if self._rest:
            self._on_line(self._rest.decode(errors="replace"))
        self.output_ended.set()

    def process_exited(self) -> None:
        """Set `exited`."""
        self.exited.set()
