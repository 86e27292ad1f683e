"""docker-compose.yml in a real engine: what is up, who may do what, and the way of a message."""

import asyncio
import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from azure.storage.queue import QueueClient

from azure_queue import development_account
from devstack import ports
from devstack.broker import SEARCH
from devstack.ports import Ports
from devstack.processes import ROOT
from tests.machine import need_docker, need_mosquitto

# The first `up` of a machine builds the images.
pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

SERVICES = {"mosquitto", "azurite", "poller", "gateway", "simulator"}


@dataclass(frozen=True, slots=True)
class Project:
    """A compose project that is up."""

    name: str
    ports: Ports

    def compose(self, *words: str) -> str:
        """Run a compose command; return what it prints, or fail with it."""
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.name, *words],
            cwd=ROOT,
            env={
                **os.environ,
                "GATEWAY_PUBLISHED_PORT": str(self.ports.gateway),
                "MQTT_PUBLISHED_PORT": str(self.ports.mqtt),
                "QUEUE_PUBLISHED_PORT": str(self.ports.queue),
            },
            capture_output=True,
            text=True,
            timeout=540,
            check=False,
        )
        assert done.returncode == 0, f"docker compose {' '.join(words)}:\n{done.stderr}"
        return done.stdout

    def containers(self) -> dict[str, dict[str, Any]]:
        """What the engine says of each service's container."""
        ids = self.compose("ps", "--all", "--quiet").split()
        asked = subprocess.run(
            ["docker", "inspect", *ids], capture_output=True, text=True, timeout=30, check=True
        )
        return {
            each["Config"]["Labels"]["com.docker.compose.service"]: each
            for each in json.loads(asked.stdout)
        }


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    """Everything up, under a name and on ports of its own; gone after the tests."""
    need_docker()
    project = Project(f"pillowcast-test-{uuid4().hex[:8]}", ports.settle(Ports()))
    try:
        project.compose("up", "--detach", "--wait", "--build", "--quiet-pull")
        yield project
    finally:
        project.compose("down", "--volumes", "--timeout", "5", "--rmi", "local")


def mosquitto_client(project: Project, name: str, *words: str) -> str:
    """Run one of mosquitto's clients from the host, without credentials; return all it prints."""
    need_mosquitto()
    done = subprocess.run(
        [name, "-p", str(project.ports.mqtt), *words],
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
        env={**os.environ, "PATH": SEARCH},
    )
    return done.stdout + done.stderr


def test_every_service_is_up_and_healthy(project: Project) -> None:
    found = {
        name: container["State"].get("Health", {}).get("Status")
        for name, container in project.containers().items()
    }

    assert found == {name: None if name == "simulator" else "healthy" for name in SERVICES}


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_nothing_runs_as_root_or_can_change_its_own_files(project: Project, service: str) -> None:
    container = project.containers()[service]
    host = container["HostConfig"]

    user = project.compose("exec", "-T", service, "id", "-u").strip()

    assert user != "0"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert "no-new-privileges:true" in host["SecurityOpt"]


def test_ports_are_published_on_loopback_only(project: Project) -> None:
    published = {
        (binding["HostIp"], int(binding["HostPort"]))
        for container in project.containers().values()
        for bindings in container["NetworkSettings"]["Ports"].values()
        for binding in bindings or []
    }

    wanted = (project.ports.gateway, project.ports.mqtt, project.ports.queue)
    assert published == {("127.0.0.1", port) for port in wanted}


def test_the_gateway_cannot_reach_the_queue(project: Project) -> None:
    containers = project.containers()

    gateway = set(containers["gateway"]["NetworkSettings"]["Networks"])
    azurite = set(containers["azurite"]["NetworkSettings"]["Networks"])

    assert gateway.isdisjoint(azurite)


@pytest.mark.parametrize("path", ["/", "/readyz", "/api/pillows"])
def test_the_page_answers(project: Project, path: str) -> None:
    url = f"http://127.0.0.1:{project.ports.gateway}{path}"

    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.status == 200


def test_anyone_on_the_machine_reads_and_the_simulator_is_heard(project: Project) -> None:
    said = mosquitto_client(
        project, "mosquitto_sub", *["-t", "pillow/+/state", "-v", "-C", "1", "-W", "30"]
    )

    assert said.startswith("pillow/cloud-")


def test_a_write_without_credentials_is_refused(project: Project) -> None:
    said = mosquitto_client(
        project,
        "mosquitto_pub",
        *["-V", "5", "-q", "1", "-t", "pillow/cloud-1/state", "-m", "{}"],
    )

    assert "Not authorized" in said


async def test_a_message_put_on_the_queue_arrives_on_mqtt(project: Project) -> None:
    pillow = f"by-hand-{uuid4().hex[:8]}"
    queue = QueueClient.from_connection_string(
        development_account.connection_string(project.ports.queue),
        "pillow-state",
    )
    listening = asyncio.to_thread(
        mosquitto_client,
        *(project, "mosquitto_sub", "-t", f"pillow/{pillow}/state", "-C", "1", "-W", "30"),
    )
    sending = asyncio.to_thread(
        queue.send_message, json.dumps({"pillow": pillow, "state": "hugging"})
    )

    said, _ = await asyncio.gather(listening, sending)
    await asyncio.to_thread(queue.close)

    state = json.loads(said)
    assert (state["pillow"], state["state"]) == (pillow, "hugging")
    assert set(state["hops"]) == {"queued", "polled", "published"}


def test_without_a_simulator(project: Project) -> None:
    project.compose("up", "--detach", "--wait", "--scale", "simulator=0")

    assert set(project.containers()) == SERVICES - {"simulator"}
