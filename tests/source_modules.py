"""The modules of the members, devstack and bench as parsed source: names, imports, functions."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from devstack.processes import ROOT

Function = ast.FunctionDef | ast.AsyncFunctionDef

MEMBERS: Final = {
    package.name: path.parent
    for path in sorted(
        [*ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")]
    )
    for package in (path.parent / "src").iterdir()
    if (package / "__init__.py").exists()
}
"""Each member's import name and its folder."""


@dataclass(frozen=True, eq=False)
class Module:
    """A module of a member, with its source and its syntax tree."""

    name: str
    member: str
    source: str
    tree: ast.Module

    def __str__(self) -> str:
        return self.name

    @property
    def lines(self) -> int:
        """The number of lines."""
        return len(self.source.splitlines())

    @cached_property
    def imports(self) -> frozenset[str]:
        """The dotted names of all imported modules; a third party's are those after `from`."""
        return frozenset(_imports(self))

    @property
    def room(self) -> str:
        """The folder or module directly below the member's package: `gateway.fanout`."""
        return ".".join(self.name.split(".")[:2])

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones included."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node


@cache
def modules() -> tuple[Module, ...]:
    """Every module of every member."""
    return tuple(
        Module(name, member, source, ast.parse(source))
        for member, name, path in _paths()
        for source in (path.read_text(encoding="utf-8"),)
    )


@cache
def tool_modules() -> tuple[Module, ...]:
    """Every module of devstack and bench, which are not installed."""
    return tuple(
        Module(".".join(path.relative_to(ROOT).with_suffix("").parts), tool, source, tree)
        for tool in ("devstack", "bench")
        for path in sorted((ROOT / tool).rglob("*.py"))
        for source in (path.read_text(encoding="utf-8"),)
        for tree in (ast.parse(source),)
    )


def third_party(module: Module) -> set[str]:
    """The imports of a module that are neither in the standard library nor in this repository."""
    return {
        name
        for name in module.imports
        if top(name) not in sys.stdlib_module_names and top(name) not in MEMBERS
    }


def top(name: str) -> str:
    """The package that a dotted name begins with."""
    return name.partition(".")[0]


def _paths() -> Iterator[tuple[str, str, Path]]:
    for member, folder in MEMBERS.items():
        for path in sorted((folder / "src").rglob("*.py")):
            parts = path.relative_to(folder / "src").with_suffix("").parts
            yield member, ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _imports(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name}: write imports absolute, not relative"
            assert node.module is not None
            # `from poller import worker` imports a module, `from poller.worker import x` a name.
            if node.module in MEMBERS:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module
