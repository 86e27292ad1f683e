"""Every route of the services is in the OpenAPI document, and every path in it is one."""

import ast
import re
from collections.abc import Iterator

import pytest

from contract.documents.gateway_paths import gateway_paths
from contract.documents.openapi import openapi
from contract.documents.ops_paths import ops_paths
from gateway.http.app import STATIC
from tests.source_modules import Module, modules

METHODS = {"get", "post", "put", "delete", "patch"}
PATHS = openapi()["paths"]
OPERATIONS = [
    (path, method, operation)
    for path, item in PATHS.items()
    for method, operation in item.items()
    if method in METHODS
]
CATCH_ALL = {("/api/{path:path}", "get"), ("/{path:path}", "get")}
"""What answers that nothing is here, and the page's files."""


def routes() -> Iterator[tuple[str, str, Module]]:
    """Yield each route in the code of the services: its path, its method, and its module."""
    for module in modules():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call) or _name(node.func) not in ("Route", "Mount"):
                continue
            path = _path(node.args[0], module)
            given = [one.value for one in node.keywords if one.arg == "methods"]
            methods = ast.literal_eval(given[0]) if given else ["GET"]
            for method in methods:
                yield path, method.lower(), module


def test_every_route_is_in_the_document() -> None:
    """A new route needs a path in contract.documents.gateway_paths or ops_paths."""
    documented = {(path, method) for path, method, _ in OPERATIONS}

    missing = [
        f"{method.upper()} {path} of {module}"
        for path, method, module in routes()
        if (path, method) not in documented | CATCH_ALL
    ]

    assert missing == []


def test_every_path_of_the_document_is_a_route_or_a_file_of_the_page() -> None:
    """What is gone from the code goes from the document."""
    known = {(path, method) for path, method, _ in routes()}
    files = {"/", "/states.js", *(f"/{path.name}" for path in STATIC.iterdir())}

    for path, method, _ in OPERATIONS:
        assert (path, method) in known or path in files, path


def test_the_two_ports_do_not_hide_each_others_paths() -> None:
    """One document has a path once."""
    assert set(gateway_paths()) | set(ops_paths()) == set(PATHS)
    assert not set(gateway_paths()) & set(ops_paths())


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_path_parameter_is_described_by_its_name(
    path: str, method: str, operation: dict[str, list[dict[str, str]]]
) -> None:
    """As it stands in the path."""
    described = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}

    assert described == set(re.findall(r"{(\w+)}", path))


def test_every_operation_has_a_name_of_its_own() -> None:
    """Generated clients have functions of these names."""
    names = [operation["operationId"] for _, _, operation in OPERATIONS]

    assert len(set(names)) == len(names)


def _path(argument: ast.expr, module: Module) -> str:
    """The path of a route: a text, or the name of a constant of its module."""
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    name = ast.unparse(argument)
    found = re.search(rf'^{name}: Final = "(.*)"$', module.source, re.MULTILINE)
    assert found, f"{module}: write the path of {name} as a text"
    return found[1]


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
