"""docs/reference/errors.md: close codes, problem documents, reasons, exit statuses."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

from contract import frames
from contract.messages import Reason
from docsite.reference.source_texts import Call, calls
from docsite.reference.tables import code, table, words

INTRODUCTION: Final = """\
# Errors

The errors that a client, a device or an operator sees, and what they mean.
What to do about each outage is in [the failure table](../operating.md#when-something-breaks).
"""

PROBLEMS: Final = """\
Answers of the HTTP endpoints, as `application/problem+json`
([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)): `title`, `status` and `detail`.
A refused stream has the status 400, 401, 403, 429 or 503 in place of the codes 4400, 4401, 4403,
4429 and 1013.
"""

EXIT_STATUSES: Final = (
    ("0", "done; a service: it was asked to stop, and has finished its work"),
    ("1", "not done, or not everything; a service: it failed, and its log says why"),
    ("2", "wrong usage, or a wrong setting: the message names each and its value"),
    ("130", "a command was ended by Ctrl-C"),
)


def page(root: Path) -> str:
    """Return the page."""
    found = calls(root)
    contract = (root / "packages/contract/README.md").read_text(encoding="utf-8")
    codes = {name: value for name, value in vars(frames).items() if _is_close_code(name, value)}
    return "\n".join(
        [
            INTRODUCTION,
            "## Close codes\n",
            "Before it closes, the gateway sends an `error` frame with the code and a sentence.\n",
            _table_of(contract, "Close codes", {str(value) for value in codes.values()}),
            "## Why a client is refused\n",
            "The sentences of these codes; … stands for a value.\n",
            table(["code", "sentence"], _refusals(found, codes)),
            "## Problem documents\n",
            PROBLEMS,
            table(["status", "title", "detail"], _problems(found)),
            "## Reasons of dead letters\n",
            _table_of(contract, "Dead letters: messages that can never be published", set(Reason)),
            "## Exit statuses\n",
            table(["status", "meaning"], EXIT_STATUSES),
        ]
    )


def _is_close_code(name: str, value: object) -> bool:
    return name.isupper() and type(value) is int and 1000 < value < 5000


def _table_of(text: str, heading: str, keys: set[str]) -> str:
    """Return the table of a chapter. Raises ValueError if its first column has not these keys."""
    chapter = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in chapter.splitlines() if line.startswith("|")]
    listed = {line.split("|")[1].strip().strip("`") for line in lines[2:]}
    if listed != {str(key) for key in keys}:
        raise ValueError(f"{heading}: listed are {sorted(listed)}, the code has {sorted(keys)}")
    return "\n".join(lines) + "\n"


def _refusals(found: tuple[Call, ...], codes: dict[str, int]) -> list[list[str]]:
    rows = {
        (codes[call.arguments[0]], call.arguments[1])
        for call in found
        if call.name == "Refusal" and len(call.arguments) > 1 and call.arguments[0] in codes
    }
    return [[str(number), words(text)] for number, text in sorted(rows) if " " in text]


def _problems(found: tuple[Call, ...]) -> Iterator[list[str]]:
    rows = {
        call.arguments[:3] for call in found if call.name == "problem" and len(call.arguments) > 2
    }
    for status, title, detail in sorted(rows):
        if re.fullmatch(r"\d{3}", status):
            sentence = words(detail) if " " in detail else "why, in a sentence"
            yield [code(f"{status} {HTTPStatus(int(status)).phrase}"), title, sentence]
