"""docs/architecture.md: what its code map names exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from devstack.processes import ROOT

PAGE: Final = ROOT / "docs/architecture.md"
SOURCES: Final = (*ROOT.glob("packages/*/src"), *ROOT.glob("services/*/src"))
STATIC: Final = ROOT / "services/gateway/src/gateway"


def rows() -> Iterator[tuple[str, str]]:
    """Yield each row of the code map: the question and the answer."""
    text = PAGE.read_text(encoding="utf-8").partition("## Code map")[2]
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 2 and cells[0] not in ("question", "---"):
            yield cells[0], cells[1]


def find(path: str, folder: Path | None) -> Path | None:
    """Return the file that a path of the code map means; `folder` is that of the path before."""
    places = [STATIC, *SOURCES] if folder is None else [STATIC, *SOURCES, folder]
    return next((place / path for place in places if (place / path).is_file()), None)


def test_every_file_and_name_of_the_code_map_exists() -> None:
    """A reader who follows a row finds the file, and in it what the row names."""
    wrong = []
    for question, answer in rows():
        file: Path | None = None
        for name in re.findall(r"`([^`]+)`", answer):
            if re.search(r"\.(py|js)$", name):
                file = find(name, None if file is None else file.parent)
                if file is None:
                    wrong.append(f"{question}: there is no {name}")
            elif file is not None:
                text = file.read_text(encoding="utf-8")
                wrong += [
                    f"{question}: {file.name} does not have {part}"
                    for part in name.split(".")
                    if not re.search(rf"\b{re.escape(part)}\b", text)
                ]
    assert wrong == []


def test_the_code_map_answers_at_least_twenty_questions() -> None:
    """They are the questions that a newcomer asks."""
    assert len(list(rows())) >= 20
