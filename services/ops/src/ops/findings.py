"""Findings: what a check found, in one line, and what to do about it. Pure."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How a finding is to be taken; `unknown`: it could not be checked, because of another one."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"
    UNKNOWN = "unknown"


class Finding(msgspec.Struct, frozen=True):
    """One line: the area and the thing, what was found, and what to do where something is wrong."""

    area: str
    name: str
    level: Level
    detail: str
    advice: str = ""


class Findings:
    """The findings of one area."""

    def __init__(self, area: str) -> None:
        self.area = area
        self.list: list[Finding] = []
        self.asked = ""
        """What is waited for, for the line of a check that does not end in time."""

    def ok(self, name: str, detail: str) -> None:
        """Add what is well."""
        self.list.append(Finding(self.area, name, Level.OK, detail))

    def note(self, name: str, detail: str, advice: str = "") -> None:
        """Add what is worth knowing."""
        self.list.append(Finding(self.area, name, Level.NOTE, detail, advice))

    def wrong(self, name: str, detail: str, advice: str = "") -> None:
        """Add what is wrong; the advice may be a part of the detail already."""
        self.list.append(Finding(self.area, name, Level.WRONG, detail, advice))

    def unknown(self, name: str, detail: str, advice: str = "") -> None:
        """Add what could not be checked."""
        self.list.append(Finding(self.area, name, Level.UNKNOWN, detail, advice))


def exit_status(findings: Iterable[Finding]) -> int:
    """Return 1 if anything is wrong, else 0."""
    return int(any(one.level is Level.WRONG for one in findings))
