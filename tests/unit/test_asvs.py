"""docs/asvs.md has each requirement of OWASP ASVS 5.0.0, levels 1 and 2, once, with its tests."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from devstack.processes import ROOT

PAGE: Final = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")

# The level of each requirement of a section, in the order of their numbers.
LEVELS: Final = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123",
    "2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23",
    "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5": "11122333", "3.6": "3",
    "3.7": "22333",
    "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222",
    "5.1": "2", "5.2": "112333", "5.3": "113", "5.4": "222",
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333",
    "6.6": "2223", "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222",
    "10.1": "22", "10.2": "223", "10.3": "22223", "10.4": "1111122222233333", "10.5": "22222",
    "10.6": "22", "10.7": "222",
    "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222", "11.5": "23", "11.6": "23",
    "11.7": "33",
    "12.1": "12233", "12.2": "11", "12.3": "22223",
    "13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233",
    "14.1": "22", "14.2": "12223333", "14.3": "122",
    "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333",
    "16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223",
    "17.1": "23", "17.2": "22223333", "17.3": "22",
}  # fmt: skip
WANTED: Final = {
    f"{section}.{number}": level
    for section, levels in LEVELS.items()
    for number, level in enumerate(levels, 1)
    if level in "12"
}

ROW: Final = re.compile(r"^\| (\d[\d., ]*) \| (?:([12]) \| ([^|]+) \| )?([^|]+) \|$", re.MULTILINE)
TEST: Final = re.compile(r"`(tests/[\w/.]+)::([^`]+)`")
ANCHOR: Final = re.compile(r"\]\(([\w./-]*\.md)(?:#([\w-]+))?\)")


def rows() -> list[tuple[list[str], str | None, str]]:
    """Return each row's numbers, level and last cell."""
    return [(found[1].split(", "), found[2], found[4]) for found in ROW.finditer(PAGE)]


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names of the tests in a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        return frozenset(re.findall(r'^ *test\("([^"]+)"', text, re.MULTILINE))
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_each_requirement_of_the_levels_1_and_2_is_in_one_row() -> None:
    """Of 5.0.0: 253, and no other number."""
    numbers = [number for found, _, _ in rows() for number in found]

    assert len(WANTED) == 253
    assert sorted(set(numbers) - set(WANTED)) == []
    assert sorted(set(WANTED) - set(numbers)) == []
    assert sorted({number for number in numbers if numbers.count(number) > 1}) == []


def test_a_row_has_the_level_of_its_requirement() -> None:
    """Where it applies."""
    wrong = [n for [n, *_], level, _ in rows() if level is not None and WANTED[n] != level]

    assert wrong == []


def test_every_named_test_exists() -> None:
    """By its file and its name."""
    named = TEST.findall(PAGE)
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or name not in names_in(ROOT / path)
    ]

    assert len(named) > 150
    assert missing == []


def test_a_row_names_a_test_or_a_reason() -> None:
    """A reason is a sentence, or a section of another page that has it."""
    bare = [
        numbers
        for numbers, _, text in rows()
        if not TEST.search(text) and len(text) < 15 and not ANCHOR.search(text)
    ]

    assert bare == []


@pytest.mark.parametrize("link", sorted(set(ANCHOR.findall(PAGE))), ids="#".join)
def test_every_linked_section_exists(link: tuple[str, str]) -> None:
    """In the other page."""
    path, anchor = link
    text = (ROOT / "docs" / path).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}

    assert not anchor or anchor in anchors
