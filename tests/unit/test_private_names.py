"""Private and overridden names of libraries are exactly those that docs/dependencies.md lists.

Such a name may change in any release of the library, so each one has a reason, a consequence and a
test that notices the change.
"""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from devstack.processes import ROOT
from tests.source_modules import MEMBERS, Function, Module, modules, top

TABLE: Final = ROOT / "docs" / "dependencies.md"
SECTION: Final = "## Private and overridden names"
UNDOCUMENTED: Final = "## Public names without documentation"

PRIVATE: Final = re.compile(r"_[A-Za-z]\w*")

# Private by spelling only: the documented methods of named tuples, and os._exit.
DOCUMENTED: Final = frozenset({"_replace", "_asdict", "_fields", "_make", "_exit"})

# Libraries whose base classes are made to be extended, and what a subclass defines is documented.
EXTENDED_AS_DOCUMENTED: Final = frozenset(
    {"aiohttp", "msgspec", "pydantic", "pydantic_settings", "opentelemetry"}
)


class Use(NamedTuple):
    """A module's use of a library's name."""

    module: str
    name: str


class Row(NamedTuple):
    """A row of the table: what is used where, and the paths of the tests that notice a change."""

    use: Use
    tests: tuple[str, ...]


def test_every_private_or_overridden_name_of_a_library_is_in_the_table() -> None:
    """Do without it; or add a row: name, library, module, why, what breaks, which test notices."""
    used = {*accessed(), *overridden()}

    assert sorted(used - {row.use for row in rows(SECTION)}) == []


def test_every_row_of_the_table_is_of_code_that_exists() -> None:
    """Remove the row of a name that is not used any more."""
    used = {*accessed(), *overridden()}

    assert sorted({row.use for row in rows(SECTION)} - used) == []


def test_every_row_of_the_tables_names_a_module_and_a_test_that_exist() -> None:
    """A test as `tests/unit/…/test_x.py::test_name`."""
    names = {module.name for module in modules()}
    missing = []
    for row in rows(SECTION) + rows(UNDOCUMENTED):
        if row.use.module not in names:
            missing.append(f"{row.use.name}: {row.use.module}")
        for test in row.tests:
            path, _, name = test.partition("::")
            source = (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).exists() else ""
            if f"def {name}" not in source:
                missing.append(f"{row.use.name}: {test}")
        if not row.tests:
            missing.append(f"{row.use.name}: no test")

    assert missing == []


def rows(section: str) -> list[Row]:
    """Return the rows of a section's table: name, library, module, why, what breaks, test."""
    found = []
    text = TABLE.read_text(encoding="utf-8").partition(f"\n{section}\n")[2]
    for line in text.partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("| `") or len(cells) != 6:
            continue
        quoted = [re.findall(r"`([^`]+)`", cell) for cell in cells]
        (name,), modules_named, tests = quoted[0], quoted[2], quoted[5]
        found += [Row(Use(module, name), tuple(tests)) for module in modules_named]
    return found


def accessed() -> Iterator[Use]:
    """Find `x._name`, `from library import _name` and `getattr(x, "_name")`.

    A private name counts as a library's unless its own module assigns or defines it.
    """
    for module in modules():
        own = _defined(module)
        for node in ast.walk(module.tree):
            for name in _private_names(node):
                if name not in own and name not in DOCUMENTED:
                    yield Use(module.name, name)


def overridden() -> Iterator[Use]:
    """Find what our classes override of a library's class, as `Class.name` of the library."""
    for module in modules():
        if not any(isinstance(node, ast.ClassDef) and node.bases for node in module.tree.body):
            continue
        for owner in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(owner) and owner.__module__ == module.name:
                yield from _overridden_by(owner)


def _overridden_by(owner: type) -> Iterator[Use]:
    overridden: set[str] = set()
    for base in owner.__mro__[1:]:
        library = top(base.__module__)
        if library in MEMBERS or library in sys.stdlib_module_names | EXTENDED_AS_DOCUMENTED:
            continue
        names = {name for name in vars(owner) if name in vars(base) and not name.startswith("__")}
        for name in names - overridden:
            yield Use(owner.__module__, f"{base.__name__}.{name}")
        overridden |= names


def _defined(module: Module) -> set[str]:
    names = set()
    for node in ast.walk(module.tree):
        if isinstance(node, Function | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _private_names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        names = [node.attr]
    elif isinstance(node, ast.ImportFrom) and top(node.module or "") not in MEMBERS:
        names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        is_by_name = node.func.id in {"getattr", "setattr", "hasattr", "delattr", "attrgetter"}
        values = [one.value for one in node.args if isinstance(one, ast.Constant)]
        names = [value for value in values if isinstance(value, str)] if is_by_name else []
    else:
        names = []
    yield from (name for name in names if PRIVATE.fullmatch(name))
