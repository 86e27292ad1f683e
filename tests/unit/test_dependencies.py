"""Each member declares the libraries that it imports, with one version range in all members."""

import re
import tomllib
from collections import defaultdict
from functools import cache
from importlib.metadata import packages_distributions
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from devstack.processes import ROOT
from tests.source_modules import MEMBERS, modules, third_party, top

# Declared although no module imports it.
NEEDED_INDIRECTLY: Final = {
    ("runtime", "httptools"): "uvicorn parses HTTP with it where it is installed",
    ("runtime", "opentelemetry-exporter-otlp-proto-http"): "found by its entry point",
    ("runtime", "azure-monitor-opentelemetry-exporter"): "found by its entry point",
    ("recorder", "pyarrow"): "imported by its name where it is installed",
    ("history", "aiosqlite"): "the driver of SQLite",
    ("history", "asyncpg"): "the driver of PostgreSQL",
    ("azure_queue", "aiohttp"): "azure's asynchronous clients send HTTP with it",
    ("gateway", "tzdata"): "zoneinfo reads it, and gateway.http.time_zones the names in it",
}


def test_a_member_declares_what_it_imports() -> None:
    """Its image contains what it declares and nothing else."""
    missing = [
        f"{member}: {name}"
        for member in MEMBERS
        for name in sorted(imported(member) - set(declared(member)))
    ]

    assert missing == [], "declare it in the member's pyproject.toml"


def test_a_member_declares_nothing_that_it_does_not_need() -> None:
    """Every installed package is attack surface and start-up time."""
    unneeded = {member: set(declared(member)) - imported(member) for member in MEMBERS}
    indirect = {
        member: {name for owner, name in NEEDED_INDIRECTLY if owner == member} for member in MEMBERS
    }

    assert unneeded == indirect, "remove it from the member's pyproject.toml"


def test_a_library_has_one_version_range_in_all_members() -> None:
    """scripts/test --lowest installs one version, so a lower bound elsewhere is not tested."""
    ranges: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for owner, requirements in all_requirements().items():
        for requirement in requirements:
            if not requirement.name.startswith("pillowcast"):
                ranges[requirement.name][str(requirement.specifier)].add(owner)
    differing = {
        name: {one: sorted(owners) for one, owners in found.items()}
        for name, found in ranges.items()
        if len(found) > 1
    }

    assert differing == {}


def test_every_version_range_has_a_lower_and_an_upper_bound() -> None:
    """The range is what scripts/test --lowest and --highest have passed with."""
    unbounded = [
        f"{owner}: {requirement}"
        for owner, requirements in all_requirements().items()
        for requirement in requirements
        if not requirement.name.startswith("pillowcast")
        if {one.operator for one in requirement.specifier} != {">=", "<"}
    ]

    assert unbounded == []


def imported(member: str) -> set[str]:
    """Return the distributions that a member's modules import."""
    return {
        canonicalize_name(f"pillowcast-{top(name)}") if top(name) in MEMBERS else distribution(name)
        for module in modules()
        if module.member == member
        for name in {*third_party(module), *(one for one in module.imports if top(one) in MEMBERS)}
        if top(name) != member
    }


def declared(member: str) -> dict[str, Requirement]:
    """Return the requirements of a member's pyproject.toml by distribution."""
    return {canonicalize_name(one.name): one for one in all_requirements()[member]}


@cache
def all_requirements() -> dict[str, list[Requirement]]:
    """Return each member's requirements, and the root's with its dependency groups."""
    found: dict[str, list[Requirement]] = {}
    for owner, folder in {**MEMBERS, "root": ROOT}.items():
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        texts = [*project["project"]["dependencies"]]
        for extra in project["project"].get("optional-dependencies", {}).values():
            texts += extra
        for group in project.get("dependency-groups", {}).values():
            texts += [one for one in group if isinstance(one, str)]
        found[owner] = [Requirement(text) for text in texts]
    return found


_distributions = cache(packages_distributions)


def distribution(name: str) -> str:
    """Return the distribution of a dotted name; some share one top-level package."""
    if top(name) == "opentelemetry":
        return "opentelemetry-sdk" if name.startswith("opentelemetry.sdk") else "opentelemetry-api"
    for prefix in ("azure.storage.queue", "azure.identity", "azure.core"):
        if f"{name}.".startswith(f"{prefix}."):
            return prefix.replace(".", "-")
    (found,) = set(_distributions()[top(name)])
    return re.sub(r"[-_.]+", "-", found).lower()
