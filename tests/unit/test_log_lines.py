"""The lines of the log and docs/operating.md, which says what they mean and what to do."""

import ast
import re
from typing import Final

from devstack.processes import ROOT
from tests.source_modules import Module, modules

DOCUMENT: Final = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
METHODS: Final = frozenset({"info", "warning", "error", "critical", "exception"})
SERVICES: Final = frozenset({"runtime", "azure_queue", "poller", "gateway"})


def events() -> dict[str, str]:
    """Return every event above debug that a service logs, with its module."""
    return {
        event: str(module)
        for module in modules()
        if module.member in SERVICES
        for event in _events(module)
    }


def _events(module: Module) -> list[str]:
    calls = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in METHODS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
    ]
    texts = [call.args[0] for call in calls if call.args]
    return [
        one.value for one in texts if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]


def test_every_line_of_the_table_of_lines_is_one() -> None:
    """A line that nobody writes would send people on a search."""
    section = DOCUMENT.partition("## Logs\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    lines = [line for row in rows for line in re.findall(r"`([^`]+)`", row)]

    assert lines
    written = events()
    assert [one for one in lines if not any(event.startswith(one) for event in written)] == []
