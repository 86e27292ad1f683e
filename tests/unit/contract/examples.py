"""The golden examples of the contract; the JavaScript tests read the same files."""

import base64
import json
from functools import cache
from typing import Any, Final

import pytest

from devstack.processes import ROOT

EXAMPLES: Final = ROOT / "packages" / "contract" / "examples"

Case = dict[str, Any]


@cache
def read(name: str) -> dict[str, Any]:
    """The content of a file of examples."""
    content: dict[str, Any] = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    return content


def cases(name: str, *, having: str = "name") -> list[Any]:
    """The cases of a file that have a field, each a parameter with the name of the case."""
    return [pytest.param(case, id=case["name"]) for case in read(name)["cases"] if having in case]


def body(case: Case) -> bytes | str:
    """The body of a case: its text, its bytes, or the text that its repetition gives."""
    if "bytes_base64" in case:
        return base64.b64decode(case["bytes_base64"])
    if "repeat" in case:
        part = case["repeat"]
        return str(part["before"] + part["text"] * part["times"] + part["after"])
    return str(case["text"])
