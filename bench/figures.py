"""The figures of a run: printed as tables and written as JSON."""

import json
import os
import platform
import resource
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

Column = tuple[str, str, str]
"""A column of a table: its heading, the key of its figure, and the format of the value."""

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return the CPU time a process has used, kernel included, in seconds (Linux)."""
    # The second field is the command in brackets, and may itself contain spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def memory_mib(pid: int) -> float:
    """Return a process's resident memory, in MiB (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def machine() -> dict[str, Any]:
    """Return the machine's data; a high load means that the figures are not reliable."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cpu": model,
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": [round(one, 2) for one in os.getloadavg()],
    }


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; all columns except the first are numbers, aligned right."""
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=None if os.isatty(1) else 120).print(table)


def show_each(title: str, columns: Sequence[Column], rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a table with one row for each name."""
    show(
        title,
        ("", *(heading for heading, _, _ in columns)),
        [
            (name, *(form.format(one[key]) for _, key, form in columns))
            for name, one in rows.items()
        ],
    )


def write(path: Path, figures: Mapping[str, Any]) -> None:
    """Write a run's figures and the machine's data as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n")
