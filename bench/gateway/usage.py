"""What a server process and its children use, and on which CPU they run (Linux)."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SERVER_CPU: Final = 0
LOAD_CPU: Final = (os.cpu_count() or 1) - 1

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU time in seconds and resident memory in bytes."""

    user_s: float
    system_s: float
    resident_bytes: int

    @classmethod
    def of(cls, pid: int) -> "Usage":
        """Return what a process and its descendants have used until now."""
        user = system = resident = 0
        for one in (pid, *_descendants(pid)):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                # The second field is the command in brackets, and may itself contain spaces.
                fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
                user += int(fields[11])
                system += int(fields[12])
                resident += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        return cls(user / _TICKS_PER_SECOND, system / _TICKS_PER_SECOND, resident)

    @property
    def cpu_s(self) -> float:
        """User and system time together."""
        return self.user_s + self.system_s

    def since(self, before: "Usage") -> "Usage":
        """Return the CPU time between two readings, with the memory of the later one."""
        return Usage(
            self.user_s - before.user_s, self.system_s - before.system_s, self.resident_bytes
        )


def pin(pid: int, cpu: int) -> None:
    """Bind all threads of a process and its descendants to one CPU, where there are several."""
    if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
        for one in (pid, *_descendants(pid)):
            for task in Path(f"/proc/{one}/task").iterdir():
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(task.name), {cpu})


def schedule_first(pid: int, *, is_first: bool = True) -> bool:
    """Let all threads of a process and its descendants run before all others that share their CPU.

    With `is_first` false they have the usual scheduling again, which children inherit otherwise.
    Returns False where the system does not allow it: Linux lets root.
    """
    policy, priority = (os.SCHED_FIFO, 1) if is_first else (os.SCHED_OTHER, 0)
    try:
        for one in (pid, *_descendants(pid)):
            for task in Path(f"/proc/{one}/task").iterdir():
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setscheduler(int(task.name), policy, os.sched_param(priority))
    except PermissionError:
        return False
    return True


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *_descendants(int(child))]
    return found
