"""The golden examples of the contract, as the JavaScript tests read them too."""

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
    """A file of examples, whole."""
    content: dict[str, Any] = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    return content


def cases(name: str, *, having: str = "name") -> list[Any]:
    """The cases of a file that have a field, each a parameter named as the case is."""
    return [pytest.param(case, id=case["name"]) for case in read(name)["cases"] if having in case]


def body(case: Case) -> bytes | str:
    """What a case is about: its text, its bytes, or the text its repetition makes."""
    if "bytes_base64" in case:
        return base64.b64decode(case["bytes_base64"])
    if "repeat" in case:
        part = case["repeat"]
        return str(part["before"] + part["text"] * part["times"] + part["after"])
    return str(case["text"])
