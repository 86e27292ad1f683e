"""The result of a session, and how it is shown."""

from collections.abc import Sequence
from typing import NamedTuple


class Result(NamedTuple):
    """A session's result; `passed` is None where it was not run."""

    name: str
    passed: bool | None
    detail: str


def shown(results: Sequence[Result]) -> str:
    """Return a line for each result, and one of all."""
    marks = {True: "ok      ", False: "FAILED  ", None: "not run "}
    lines = [f"{marks[one.passed]} {one.name}: {one.detail}" for one in results]
    passed, failed, left = (
        sum(one.passed is kind for one in results) for kind in (True, False, None)
    )
    return "\n".join([*lines, f"{passed} conform, {failed} do not, {left} were not run"])
