"""Rendering: findings, verdicts and tables for a person's terminal."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from ops.findings import Finding, Level
from runtime.printable_text import printable
from runtime.redaction import redact

OUT: Final = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
ERR: Final = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

_MARKS: Final = {
    Level.OK: ("ok", "green"),
    Level.NOTE: ("note", "yellow"),
    Level.WRONG: ("WRONG", "bold red"),
    Level.UNKNOWN: ("?", "dim"),
}


def print_findings(findings: Iterable[Finding]) -> None:
    """Print one line a finding, and what to do below it."""
    for one in findings:
        mark, style = _MARKS[one.level]
        line = Text(f"{mark:<6}", style)
        line.append(f"{one.area:<9} ", "dim")
        line.append(f"{clean(one.name)}: ", "bold" if one.level is Level.WRONG else "")
        line.append(clean(one.detail))
        if one.advice:
            line.append(f" → {clean(one.advice)}", "cyan")
        OUT.print(line)


def print_line(label: str, text: str, style: str = "") -> None:
    """Print a label, and a text behind it."""
    line = Text(f"{clean(label):<16} ", "dim")
    OUT.print(line.append(clean(text), style))


def clean(text: str) -> str:
    """Return a text on one line, without secrets and without what controls a terminal."""
    return printable(redact(text))


def write_json(document: object) -> None:
    """Write a document as one line to standard output."""
    sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
    sys.stdout.buffer.flush()


@contextmanager
def progress(action: str, total: int, *, wanted: bool = True) -> Iterator[Progress]:
    """Show a progress bar on a terminal, on standard error; its only task has the id 0."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=ERR,
        transient=True,
        disable=not (wanted and ERR.is_terminal),
    )
    with bar:
        bar.add_task(action, total=total)
        yield bar
