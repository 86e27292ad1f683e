"""Compose projects of tests: each under a name of its own, removed with all that belongs to it."""

import fcntl
import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from devstack import ports
from devstack.ports import Ports
from devstack.processes import ROOT
from tests.machine import need_docker
from tests.waiting import has_ended

LABEL: Final = "com.docker.compose.project"
_NAME: Final = re.compile(r"pillowcast-test-[a-z]+-([0-9a-f]{8})-([0-9]+)-[0-9a-f]{8}")
"""With the process that started it and where that id counts, so that others know whether anybody
needs it: other machines and containers may use the same Docker engine."""

_LOCK: Final = Path(tempfile.gettempdir()) / "pillowcast-test-projects.lock"

_KINDS: Final = {"container": ("--all",), "network": (), "volume": ()}
"""The kinds of objects of a project, and what `docker <kind> ls` needs to list all of them."""


@dataclass(frozen=True, slots=True)
class Project:
    """A compose project. `env` is added to the environment of its commands."""

    name: str
    ports: Ports
    files: tuple[str, ...] = ("docker-compose.yml",)
    env: Mapping[str, str] = field(default_factory=dict)

    def compose(self, *words: str) -> str:
        """Run a compose command and return its output; fail with its error output."""
        return _docker(
            *("compose", "--project-name", self.name),
            *(word for file in self.files for word in ("-f", file)),
            *words,
            env=self.environment,
            timeout_s=540,
        )

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its commands."""
        return {
            **os.environ,
            "GATEWAY_PUBLISHED_PORT": str(self.ports.gateway),
            "MQTT_PUBLISHED_PORT": str(self.ports.mqtt),
            "QUEUE_PUBLISHED_PORT": str(self.ports.queue),
            **self.env,
        }

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return the result of `docker inspect` for each service's container."""
        ids = self.compose("ps", "--all", "--quiet").split()
        inspected = _docker("inspect", *ids)
        return {
            each["Config"]["Labels"]["com.docker.compose.service"]: each
            for each in json.loads(inspected)
        }


@contextmanager
def started(
    kind: str,
    files: tuple[str, ...] = ("docker-compose.yml",),
    env: Mapping[str, str] | None = None,
    services: tuple[str, ...] = (),
) -> Iterator[Project]:
    """Build and start a project, or some of its services, on free ports; then remove it.

    Before that, what tests left behind that were killed is removed: each project takes seven of
    some thirty networks that Docker has addresses for.
    """
    need_docker()
    with alone():
        remove_abandoned()
    project = Project(unique_name(kind), ports.settle(Ports()), files, env or {})
    try:
        project.compose("up", "--detach", "--wait", "--build", "--quiet-pull", *services)
        yield project
    finally:
        remove(project.name)


def unique_name(kind: str, owner: int | None = None) -> str:
    """Return a name that no other project has; `owner` is a process id, this one's by default."""
    return f"pillowcast-test-{kind}-{_here()}-{owner or os.getpid()}-{uuid4().hex[:8]}"


@contextmanager
def alone() -> Iterator[None]:
    """Let no other process look for abandoned projects: tests that start together find the same."""
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove_abandoned() -> list[str]:
    """Remove all projects of test processes that are gone; returns their names.

    The caller is `alone`.
    """
    abandoned = [name for name in names() if _is_abandoned(name)]
    for name in abandoned:
        remove(name)
    return abandoned


def remove(name: str) -> None:
    """Remove a project by its name: containers, networks, volumes, and the images it has built."""
    _docker("compose", "--project-name", name, "down", "--volumes", "--timeout", "5")
    if images := _docker("image", "ls", "--quiet", "--filter", f"label={LABEL}={name}").split():
        _docker("image", "rm", "--force", *sorted(set(images)))


def names() -> set[str]:
    """Return the names of all projects of which there is anything."""
    form = f'{{{{.Label "{LABEL}"}}}}'
    return {
        name
        for kind, words in _KINDS.items()
        for name in _docker(
            kind, "ls", *words, "--filter", f"label={LABEL}", "--format", form
        ).split()
    }


def _is_abandoned(name: str) -> bool:
    found = _NAME.fullmatch(name)
    return found is not None and found[1] == _here() and has_ended(int(found[2]))


def _here() -> str:
    """Return what differs between machines, their starts, and namespaces of process ids."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    namespace = Path("/proc/self/ns/pid").readlink()
    return hashlib.sha256(f"{boot}{namespace}".encode()).hexdigest()[:8]


def _docker(*words: str, env: Mapping[str, str] | None = None, timeout_s: float = 120) -> str:
    done = subprocess.run(
        ["docker", *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, f"docker {' '.join(words)}:\n{done.stderr}"
    return done.stdout
