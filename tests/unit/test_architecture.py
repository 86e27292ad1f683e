"""The repository's shape: who may import what, and that each member declares what it needs."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

import pytest

from devstack.processes import ROOT

MEMBERS: Final = {
    path.parent.name: path.parent
    for path in sorted(
        [*ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")]
    )
}
SERVICES: Final = frozenset({"poller", "gateway", "simulator"})

# What decides is pure: it can be tested by properties, and read without thinking of time.
DECIDERS: Final = (
    "contract.*",
    "runtime.backoff",
    "poller.consume.polling",
    "poller.consume.classify",
    "poller.publish.last_write",
    "poller.queues",
    "poller.settle.dead_letters",
    "poller.azure.errors",
    "poller.azure.xml_codec",
    "gateway.state.state_store",
    "gateway.state.expiry",
    "gateway.state.history",
    "gateway.state.presence",
    "gateway.http.bundler",
    "gateway.fanout.planner",
    "gateway.fanout.subscriptions",
    "gateway.fanout.batching",
    "gateway.transport.timing_wheel",
    "gateway.fanout.encoding",
    "gateway.transport.admission",
    "simulator.model.*",
    "simulator.scenario.words",
    "simulator.scenario.form",
    "simulator.scenario.lines",
    "simulator.scenario.reading",
    "simulator.scenario.plan",
    "simulator.stream.*",
    "simulator.checking.seen",
    "simulator.checking.verdicts",
    "simulator.recording.tape",
    "simulator.plot",
)
# Beside other deciders, all that these may import. importlib.resources reads states.json, once.
PURE: Final = frozenset(
    {
        "ast", "base64", "binascii", "bisect", "calendar", "collections", "collections.abc",
        "dataclasses", "datetime", "difflib", "email.utils", "enum", "functools", "hashlib",
        "heapq", "importlib.resources", "itertools", "math", "msgspec", "operator", "posixpath",
        "re", "tomllib", "types", "typing", "urllib.parse", "xml.etree", "xml.sax.saxutils",
        # What these write depends on nothing but what they are given.
        "websockets.extensions.permessage_deflate", "websockets.frames",
    }
)  # fmt: skip
CLOCKS: Final = frozenset({"now", "utcnow", "today"})

# Libraries that one module each wraps, so that a change of theirs is a change in one place.
WRAPPED: Final = {
    "aiomqtt": {"runtime.mqtt"},
    "paho": {"runtime.mqtt"},
    "azure": {
        "poller.azure.poison",
        "poller.azure.queue",
        "poller.azure.sdk",
        "poller.azure.auth",
        "simulator.targets.azure_queue",
    },
    "httptools": {"gateway.transport.http_protocol", "poller.azure.http_pool"},
    "uvicorn": {"runtime.server", "gateway.transport.http_protocol"},
    "websockets": {
        "gateway.transport.handshake",
        "gateway.transport.message_reader",
        "gateway.fanout.encoding",
    },
    "uvloop": {"runtime.lifecycle"},
    "pydantic_settings": {"runtime.settings"},
    "rich": {
        "simulator.board",
        "simulator.running",
        "simulator.commands.check",
        "simulator.commands.listing",
        "simulator.commands.poke",
        "poller.commands.rendering",
        "poller.commands.context",
    },
    "typer": {
        "simulator.__main__",
        "simulator.commands.check",
        "simulator.commands.listing",
        "simulator.commands.options",
        "simulator.commands.poke",
        "simulator.commands.record",
        "simulator.commands.replay",
        "simulator.commands.run",
        "simulator.commands.trace",
        "poller.commands.context",
        "poller.commands.dead_letters",
        "poller.commands.replay",
    },
}

# Declared though no line imports it.
NEEDED_UNSEEN: Final = {
    ("runtime", "httptools"): "uvicorn reads HTTP with it where it is installed",
    ("poller", "aiohttp"): "azure's asynchronous clients speak HTTP with it",
    ("simulator", "aiohttp"): "azure's asynchronous clients speak HTTP with it",
}


@dataclass(frozen=True)
class Module:
    """A module of a member: its dotted name, and all it imports."""

    name: str
    member: str
    path: Path
    imports: frozenset[str]

    def __str__(self) -> str:
        return self.name


@cache
def modules() -> tuple[Module, ...]:
    """Every module of every member."""
    return tuple(_modules())


def _modules() -> Iterator[Module]:
    for member, folder in MEMBERS.items():
        for path in sorted((folder / "src").rglob("*.py")):
            parts = path.relative_to(folder / "src").with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield Module(name, member, path, frozenset(_imports(path)))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            assert node.module is not None
            # `from poller import worker` imports a module, `from poller.worker import x` a name.
            own = node.module in MEMBERS
            yield from (f"{node.module}.{alias.name}" for alias in node.names if own)
            yield from (() if own else (node.module,))


def is_decider(name: str) -> bool:
    """Say whether a module is to be pure."""
    return any(
        name == one or (one.endswith(".*") and (name + ".").startswith(one[:-1]))
        for one in DECIDERS
    )


def top(name: str) -> str:
    """The package a dotted name begins with."""
    return name.partition(".")[0]


def third_party(module: Module) -> set[str]:
    """The imports of a module that neither Python nor this repository has."""
    return {
        name
        for name in module.imports
        if top(name) not in sys.stdlib_module_names and top(name) not in MEMBERS
    }


_distributions = cache(packages_distributions)


def distribution(name: str) -> str:
    """Which distribution a dotted name comes from; azure's share one top package."""
    for prefix in ("azure.storage.queue", "azure.identity", "azure.core"):
        if f"{name}.".startswith(f"{prefix}."):
            return prefix.replace(".", "-")
    (found,) = set(_distributions()[top(name)])
    return re.sub(r"[-_.]+", "-", found).lower()


def declared(member: str) -> set[str]:
    """The distributions a member's pyproject.toml names."""
    project = tomllib.loads((MEMBERS[member] / "pyproject.toml").read_text(encoding="utf-8"))
    found = {re.match(r"[A-Za-z0-9._-]+", one) for one in project["project"]["dependencies"]}
    return {re.sub(r"[-_.]+", "-", one[0]).lower() for one in found if one}


every_module = pytest.mark.parametrize("module", modules(), ids=str)
every_member = pytest.mark.parametrize("member", sorted(MEMBERS))


def test_the_members_are_those_of_the_design() -> None:
    """Two packages, three services."""
    assert set(MEMBERS) == {"contract", "runtime", *SERVICES}


@every_module
def test_a_module_imports_only_what_its_member_may(module: Module) -> None:
    """The contract nobody, the runtime no service, a service no other service."""
    may = {
        "contract": {"contract"},
        "runtime": {"contract", "runtime"},
    }.get(module.member, {"contract", "runtime", module.member})

    assert {top(name) for name in module.imports} & set(MEMBERS) <= may


@every_module
def test_the_contract_needs_msgspec_and_nothing_else(module: Module) -> None:
    """So that anybody can use it."""
    if module.member == "contract":
        assert third_party(module) <= {"msgspec"}


@pytest.mark.parametrize("module", [one for one in modules() if is_decider(one.name)], ids=str)
def test_what_decides_does_nothing(module: Module) -> None:
    """No loop, no socket, no clock, no chance of its own, no log: only values in and values out."""
    impure = {name for name in module.imports if name not in PURE and not is_decider(name)}
    clocks = {
        node.attr
        for node in ast.walk(ast.parse(module.path.read_bytes()))
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS
    }

    assert (impure, clocks) == (set(), set())


def test_every_decider_exists() -> None:
    """A name in the list that nothing bears would guard nothing."""
    names = {module.name for module in modules()}

    assert {one.removesuffix(".*") for one in DECIDERS} <= names
    assert set().union(*WRAPPED.values()) <= names


@pytest.mark.parametrize("library", sorted(WRAPPED))
def test_a_wrapped_library_is_imported_where_it_is_wrapped(library: str) -> None:
    """And nowhere else."""
    users = {
        module.name for module in modules() if library in {top(name) for name in module.imports}
    }

    assert users <= WRAPPED[library]
    assert users


@every_module
def test_nothing_is_evaluated(module: Module) -> None:
    """The system before this one ran `eval` on what it read."""
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(module.path.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert calls & {"eval", "exec", "compile", "__import__"} == set()


@every_module
def test_the_environment_is_read_in_one_place(module: Module) -> None:
    """A setting is declared, or there is none."""
    reads = re.search(r"\bos\.(environ|getenv)\b", module.path.read_text(encoding="utf-8"))

    assert (reads is not None) == (module.name == "runtime.settings")


@every_member
def test_a_member_declares_what_it_imports(member: str) -> None:
    """Its image has that and nothing else, or does not start."""
    imported = {
        distribution(name)
        for module in modules()
        if module.member == member
        for name in third_party(module)
    }
    own = {
        f"pillowcast-{top(name)}"
        for module in modules()
        if module.member == member
        for name in module.imports
        if top(name) in MEMBERS and top(name) != member
    }

    assert imported | own <= declared(member)


@every_member
def test_a_member_declares_nothing_it_does_not_need(member: str) -> None:
    """What is installed for nothing is attacked for nothing."""
    imported = {
        distribution(name)
        for module in modules()
        if module.member == member
        for name in third_party(module)
    }
    unseen = {name for owner, name in NEEDED_UNSEEN if owner == member}
    own = {f"pillowcast-{name}" for name in MEMBERS}

    assert declared(member) - own - imported == unseen


@pytest.mark.parametrize(
    "module", [one for one in modules() if one.member in ("contract", "runtime")], ids=str
)
def test_a_shared_module_has_a_test_module(module: Module) -> None:
    """Of its own name; the MQTT session's is among those that need a broker."""
    if "." not in module.name:
        return
    package, name = module.name.split(".")
    tests = ROOT / "tests"

    assert (tests / "unit" / package / f"test_{name}.py").exists() or (
        tests / "integration" / f"test_{name}_session.py"
    ).exists()
