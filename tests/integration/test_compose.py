"""docker-compose.yml in a Docker engine: health, hardening, networks, and a message end to end."""

import asyncio
import json
import os
import re
import socket
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from azure.storage.queue import QueueClient

from azure_queue import development_account
from devstack import ports
from devstack.broker import SEARCH
from devstack.certificates import HOSTS, Authority
from devstack.processes import ROOT
from docsite.blocks import code_blocks
from tests.integration import compose_project
from tests.integration.compose_project import Project
from tests.machine import need_docker, need_mosquitto

# The first `up` on a machine builds the images.
pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

SERVICES = {
    "mosquitto", "mqtt-port", "azurite", "queue-port", "poller", "recorder", "gateway",
    "simulator",
}  # fmt: skip

PRODUCTION = {
    "GATEWAY_PUBLIC_URL": "https://clouds.example.org/",
    "GATEWAY_ALLOWED_HOSTS": "clouds.example.org,localhost",
    "GATEWAY_TRUSTED_PROXIES": "10.9.0.0/16",
}
"""The settings without which the file for production is refused."""

# What an attacker would look for in a container.
TOOLS = "pip pip3 apt apt-get dpkg apk npm npx corepack yarn perl su mount passwd curl gcc"
SURVEY = f"""
for tool in {TOOLS}; do command -v $tool; done
find / -xdev -type f \\( -perm -4000 -o -perm -2000 \\) 2>/dev/null
find / -xdev -type d -path '*-packages/pip' 2>/dev/null
true
"""


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    """Start all services; remove them after the tests."""
    with compose_project.started("all") as project:
        yield project


def mosquitto_client(project: Project, name: str, *words: str) -> str:
    """Run a mosquitto client on the host without credentials; return all its output."""
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


SUBSCRIBE_ALL = bytes.fromhex("820d0001") + b"\x00\x08pillow/#\x01"
SUBACK = bytes.fromhex("9003000101")


def connect_packet(client_id: str) -> bytes:
    """Return CONNECT of MQTT 3.1.1 for a session that outlives its connection, without a user."""
    body = b"\x00\x04MQTT\x04\x00\x00\x3c" + len(client_id).to_bytes(2, "big")
    body += client_id.encode()
    return bytes([0x10, len(body)]) + body


def test_the_operators_command_finds_nothing_wrong(project: Project) -> None:
    """It has the user, the networks and the addresses that it needs, and no more."""
    # Before, because `run` would print the build among the output.
    project.compose("--profile", "ops", "build", "--quiet", "pillowcast")
    document = json.loads(
        project.compose("run", "--rm", "--no-TTY", "pillowcast", "doctor", "--json")
    )

    assert document["ok"], [one for one in document["findings"] if one["level"] == "wrong"]
    areas = {one["area"] for one in document["findings"]}
    assert {"queue", "broker", "poller", "gateway"} <= areas


def broker_memory(project: Project) -> int:
    """Return the resident memory of mosquitto in bytes."""
    command = "grep VmRSS /proc/$(cat /run/mosquitto/pid)/status"
    return int(project.compose("exec", "-T", "mosquitto", "sh", "-c", command).split()[1]) * 1024


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; fail after a minute, because docker's commands take long."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_every_service_is_healthy(project: Project) -> None:
    """The simulator has no health check."""
    found = {
        name: container["State"].get("Health", {}).get("Status")
        for name, container in project.containers().items()
    }

    assert found == {name: None if name == "simulator" else "healthy" for name in SERVICES}


@pytest.mark.parametrize(
    ("overrides", "absent"),
    [
        ([], set()),
        (["tls"], set()),
        (["azure"], {"azurite", "queue-port", "simulator"}),
        (["azure", "production"], {"azurite", "queue-port", "simulator"}),
        (["azure", "tls", "production"], {"azurite", "queue-port", "simulator"}),
    ],
    ids=("plain", "tls", "azure", "azure-production", "azure-tls-production"),
)
def test_every_service_of_the_files_is_restricted_and_bounded(
    overrides: list[str], absent: set[str]
) -> None:
    """Whoever adds a service gets the same restrictions."""
    need_docker()
    files = ["-f", "docker-compose.yml"]
    files += [word for name in overrides for word in ("-f", f"docker-compose.{name}.yml")]
    config = subprocess.run(
        ["docker", "compose", *files, "config", "--format", "json"],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=True,
        env={**os.environ, **PRODUCTION, "COMPOSE_PROFILES": "notify"},
    )  # fmt: skip
    services = json.loads(config.stdout)["services"]

    assert set(services) == SERVICES - absent | {"notifier"}
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert not service.get("privileged"), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert 0 < int(service["mem_limit"]) == int(service["memswap_limit"]) <= 2 * 1024**3, name
        assert 0 < service["pids_limit"] <= 100, name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name
        assert [port for port in service.get("ports", []) if port["host_ip"] != "127.0.0.1"] == []
        environment = service.get("environment", {})
        passwords = {variable for variable in environment if "PASSWORD" in variable}
        assert passwords <= {"MQTT_PASSWORD", "MQTT_PASSWORD_FILE"}, name
        assert not environment.get("MQTT_PASSWORD"), name
        assert re.fullmatch(r"(mqtts?://\w+@mosquitto:\d+)?", environment.get("MQTT_URL", ""))


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_container_is_not_root_has_no_capability_and_a_read_only_file_system(
    project: Project, service: str
) -> None:
    """And its processes can gain no privileges; the system has been asked, not the file."""
    container = project.containers()[service]
    host = container["HostConfig"]

    ids = project.compose("exec", "-T", service, "id", "-u").strip()
    status = project.compose("exec", "-T", service, "cat", "/proc/1/status")
    written = project.compose("exec", "-T", service, "sh", "-c", "echo x >/here || echo refused")

    assert ids != "0"
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"):
        assert line in status
    assert "Seccomp:\t2" in status
    assert written.strip() == "refused"
    assert host["Memory"] > 0
    assert host["MemorySwap"] == host["Memory"]
    assert host["PidsLimit"] == 100
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_an_image_has_no_package_manager_and_no_program_with_rights_of_its_owner(
    project: Project, service: str
) -> None:
    """deploy/images/strip has removed them, also from the layers."""
    assert project.compose("exec", "-T", service, "sh", "-c", SURVEY) == ""


@pytest.mark.parametrize("service", ["mosquitto", "azurite"])
def test_broker_and_queue_have_no_way_out(project: Project, service: str) -> None:
    """They are on one inner network only, and have no default route."""
    [name] = project.containers()[service]["NetworkSettings"]["Networks"]
    inspected = subprocess.run(
        ["docker", "network", "inspect", name], capture_output=True, text=True, timeout=30,
        check=True,
    )  # fmt: skip
    routes = project.compose("exec", "-T", service, "cat", "/proc/net/route").splitlines()[1:]

    assert json.loads(inspected.stdout)[0]["Internal"]
    assert [route for route in routes if route.split()[1] == "00000000"] == []


def test_a_health_check_costs_less_than_starting_python(project: Project) -> None:
    """Each runs twice a minute once the container is healthy."""
    for name, container in project.containers().items():
        check = container["Config"].get("Healthcheck")
        if name != "simulator":
            assert check["Test"][1] in ("healthy", "mosquitto_sub", "nc"), name
            assert check["Interval"] == 30_000_000_000
            assert check["StartInterval"] == 1_000_000_000


def test_the_health_check_says_what_is_wrong(project: Project) -> None:
    """2xx is healthy; another status, and a port that nobody serves, are not."""
    answers = [
        project.compose("exec", "-T", "gateway", "bash", "-c", f"healthy {words}; echo $?")
        for words in ("8082 /readyz", "8080", "8080 /readyz", "9 /healthz")
    ]

    assert [answer.strip()[-1] for answer in answers] == ["0", "0", "1", "1"]


def test_no_password_is_in_docker_inspect_and_each_service_sees_its_own_only(
    project: Project,
) -> None:
    """They are files in volumes."""
    passwords = {
        user: project.compose(
            "exec", "-T", "mosquitto", "/mosquitto/config/credentials", "show", user
        ).strip()
        for user in ("poller", "gateway", "notifier", "recorder", "simulator", "operator")
    }
    inspected = json.dumps(project.containers())

    seen = {
        service: project.compose(
            "exec", "-T", service, "sh", "-c", "cat $(find /run/credentials -type f)"
        )
        for service in ("poller", "gateway", "recorder", "simulator")
    }

    assert len(set(passwords.values())) == len(passwords)
    assert [user for user, password in passwords.items() if password in inspected] == []
    assert seen == {service: passwords[service] for service in seen}


def test_a_secret_in_a_folder_is_used_and_not_in_docker_inspect(tmp_path: Path) -> None:
    """As docs/security.md shows it: the key of share links."""
    need_docker()
    key = "k" * 40
    (tmp_path / "GATEWAY_SHARE_KEY").write_text(f"{key}\n")
    tmp_path.chmod(0o755)
    env = {"SECRETS_GATEWAY": str(tmp_path), "GATEWAY_AUTH": "jwt"}
    with compose_project.started("secrets", env=env, services=("gateway",)) as project:
        link = project.compose("exec", "-T", "gateway", "gateway", "share", "cloud-1")
        inspected = json.dumps(project.containers())

    assert "#token=" in link
    assert key not in inspected


def test_a_back_up_has_retained_states_journal_and_history(
    project: Project, tmp_path: Path
) -> None:
    """By the commands of docs/how-to/move.md, in another folder."""
    page = (ROOT / "docs/how-to/move.md").read_text(encoding="utf-8")
    [commands] = [block.text for block in code_blocks("move.md", page) if block.act == "run"]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=tmp_path,
        env={
            **project.environment,
            "COMPOSE_PROJECT_NAME": project.name,
            "COMPOSE_FILE": str(ROOT / "docker-compose.yml"),
        },
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [folder] = tmp_path.glob("backup-*")
    assert folder.stat().st_mode & 0o077 == 0
    files: dict[str, list[str]] = {}
    for name in ("mosquitto", "journal", "history"):
        with tarfile.open(folder / f"{name}.tar") as archive:
            files[name] = archive.getnames()
    assert "./mosquitto.db" in files["mosquitto"]
    assert [name for name in files["journal"] if name.endswith(".sqlite3")]
    assert "./history.db" in files["history"]
    project.compose("up", "--detach", "--wait", "--no-recreate", "poller", "recorder")


def test_a_pillow_that_was_added_writes_its_own_topic_only(project: Project) -> None:
    """By the command of docs/security.md."""
    start = ["exec", "-T", "mosquitto", "/mosquitto/config/start", "reload"]
    password = project.compose(
        "exec", "-T", "mosquitto", "/mosquitto/config/credentials", "add", "by-mqtt"
    ).strip()
    project.compose(*start)
    publish = ["-V", "5", "-q", "1", "-u", "by-mqtt", "-P", password, "-m", "{}", "-t"]

    def answer(topic: str) -> str:
        return mosquitto_client(project, "mosquitto_pub", *publish, topic)

    wait_until(lambda: answer("pillow/by-mqtt/availability") == "")
    assert "Not authorized" in answer("pillow/cloud-1/availability")


def test_500_anonymous_sessions_that_left_cost_the_broker_less_than_10_mb(
    project: Project,
) -> None:
    """From mosquitto 2.0.12 on nothing is queued for them: see docs/security.md."""
    before = broker_memory(project)
    for number in range(500):
        with socket.create_connection(("127.0.0.1", project.ports.mqtt), timeout=10) as client:
            client.sendall(connect_packet(f"left-{number}") + SUBSCRIBE_ALL)
            received = b""
            while SUBACK not in received:
                received += client.recv(4096)
    password = project.compose(
        "exec", "-T", "mosquitto", "/mosquitto/config/credentials", "show", "simulator"
    ).strip()
    lines = "".join(f"{number}\n" for number in range(2_000))
    subprocess.run(
        ["mosquitto_pub", "-p", str(project.ports.mqtt), "-u", "simulator", "-P", password,
         "-q", "1", "-l", "-t", "pillow/crowd/availability"],
        input=lines, text=True, timeout=60, check=True, env={**os.environ, "PATH": SEARCH},
    )  # fmt: skip

    assert broker_memory(project) - before < 10_000_000


def test_ports_are_published_on_loopback_only(project: Project) -> None:
    """Page, MQTT and queue, and no other port."""
    published = {
        (binding["HostIp"], int(binding["HostPort"]))
        for container in project.containers().values()
        for bindings in container["NetworkSettings"]["Ports"].values()
        for binding in bindings or []
    }

    wanted = (project.ports.gateway, project.ports.mqtt, project.ports.queue)
    assert published == {("127.0.0.1", port) for port in wanted}


def test_the_gateway_shares_no_network_with_the_queue(project: Project) -> None:
    """A compromised gateway cannot write to the queue, and not by the port that is published."""
    containers = project.containers()

    gateway = set(containers["gateway"]["NetworkSettings"]["Networks"])
    azurite = set(containers["azurite"]["NetworkSettings"]["Networks"])

    forward = set(containers["queue-port"]["NetworkSettings"]["Networks"])

    assert gateway.isdisjoint(azurite)
    assert gateway.isdisjoint(forward)


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/pillows"])
def test_the_gateway_responds_on_the_published_port(project: Project, path: str) -> None:
    """The page, the health and the API."""
    url = f"http://127.0.0.1:{project.ports.gateway}{path}"

    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.status == 200


def test_an_anonymous_client_reads_the_simulators_states(project: Project) -> None:
    """On the published MQTT port."""
    output = mosquitto_client(
        project, "mosquitto_sub", *["-t", "pillow/+/state", "-v", "-C", "1", "-W", "30"]
    )

    assert output.startswith("pillow/cloud-")


def test_a_publish_without_credentials_is_refused(project: Project) -> None:
    """The ACL gives anonymous clients no write."""
    output = mosquitto_client(
        project,
        "mosquitto_pub",
        *["-V", "5", "-q", "1", "-t", "pillow/cloud-1/state", "-m", "{}"],
    )

    assert "Not authorized" in output


async def test_a_queue_message_is_published_on_mqtt_with_its_hops(project: Project) -> None:
    """Through the published queue and MQTT ports."""
    pillow = f"by-hand-{uuid4().hex[:8]}"
    queue = QueueClient.from_connection_string(
        development_account.connection_string(project.ports.queue),
        "pillow-state",
    )
    receiving = asyncio.to_thread(
        mosquitto_client,
        *(project, "mosquitto_sub", "-t", f"pillow/{pillow}/state", "-C", "1", "-W", "30"),
    )
    sending = asyncio.to_thread(
        queue.send_message, json.dumps({"pillow": pillow, "state": "hugging"})
    )

    output, _ = await asyncio.gather(receiving, sending)
    await asyncio.to_thread(queue.close)

    state = json.loads(output)
    assert (state["pillow"], state["state"]) == (pillow, "hugging")
    assert set(state["hops"]) == {"queued", "polled", "published"}


def test_scale_simulator_0_starts_everything_but_the_simulator(project: Project) -> None:
    """As the first lines of docker-compose.yml say."""
    project.compose("up", "--detach", "--wait", "--scale", "simulator=0")

    assert set(project.containers()) == SERVICES - {"simulator"}


STANDBY = "standby: another poller receives from the queue"


def test_two_gateways_and_two_pollers_run_as_documented(project: Project) -> None:
    """Each gateway has a port of its own and shows what is on the queue; one poller stands by."""
    first = next(port for port in iter(ports.free, 0) if ports.is_free(port + 1))
    scaled = replace(project, env={"GATEWAY_PUBLISHED_PORT": f"{first}-{first + 1}"})
    words = ["--scale", "gateway=2", "--scale", "poller=2", "--scale", "simulator=0"]
    try:
        scaled.compose("up", "--detach", "--wait", *words)
        with QueueClient.from_connection_string(
            development_account.connection_string(project.ports.queue), "pillow-state"
        ) as queue:
            queue.send_message('{"pillow":"scaled","state":"hugging"}')

        def is_shown(port: int) -> bool:
            with urllib.request.urlopen(f"http://localhost:{port}/api/pillows", timeout=10) as page:
                return b'"scaled"' in page.read()

        wait_until(lambda: is_shown(first) and is_shown(first + 1))
        wait_until(lambda: STANDBY in scaled.compose("logs", "--no-log-prefix", "poller"))
        pollers = scaled.compose("ps", "--quiet", "poller").split()
    finally:
        project.compose("up", "--detach", "--wait", "--scale", "simulator=0")

    assert len(pollers) == 2


def test_the_gateway_logs_the_address_that_can_be_opened(project: Project) -> None:
    """The published one."""
    log = project.compose("logs", "--no-log-prefix", "gateway")

    assert f'"page": "http://localhost:{project.ports.gateway}/"' in log
    assert "0.0.0.0" not in log


ACCOUNT = """
services:
  account:
    build: {context: ., target: azurite}
    command: azurite-queue --queueHost 0.0.0.0 --location /data --skipApiVersionCheck --silent
    networks: [azure]
"""


def test_the_files_for_production_ask_for_passwords_and_keys_and_use_another_account(
    tmp_path: Path,
) -> None:
    """The account is an Azurite that the project's own files do not have."""
    need_docker()
    secrets = tmp_path / "secrets"
    for folder in ("gateway", "poller"):
        (secrets / folder).mkdir(parents=True)
    subprocess.run(
        [ROOT / "mosquitto" / "credentials"],
        env={**os.environ, "CREDENTIALS": str(secrets / "mqtt"), "CREDENTIALS_SHARED": "1"},
        check=True,
    )
    account = development_account.connection_string().replace("127.0.0.1", "account")
    (secrets / "poller" / "AZURE_STORAGE_CONNECTION_STRING").write_text(account)
    (secrets / "gateway" / "GATEWAY_SHARE_KEY").write_text(
        "an own key of more than 32 bytes, indeed"
    )
    extra = tmp_path / "account.yml"
    extra.write_text(ACCOUNT)
    files = (
        "docker-compose.yml",
        "docker-compose.azure.yml",
        "docker-compose.production.yml",
        str(extra),
    )
    folders = {
        f"SECRETS_{name.upper()}": str(secrets / name) for name in ("mqtt", "gateway", "poller")
    }
    with compose_project.started("production", files, {**PRODUCTION, **folders}) as project:
        containers = project.containers()
        anonymous = mosquitto_client(project, "mosquitto_sub", "-E", "-t", "pillow/#", "-W", "30")
        refused = httpx.get(f"http://localhost:{project.ports.gateway}/api/pillows", timeout=30)
        link = project.compose("exec", "-T", "gateway", "gateway", "share", "*", "--for", "1h")
        log = project.compose("logs", "--no-log-prefix", "gateway")

    assert containers.keys() == {
        "mosquitto", "mqtt-port", "poller", "recorder", "gateway", "account"
    }  # fmt: skip
    assert "not authorised" in anonymous.lower()
    assert refused.status_code == 401
    assert link.startswith("https://clouds.example.org/")
    assert '"page": "https://clouds.example.org/"' in log
    inspected = json.dumps(containers)
    assert development_account.ACCOUNT_KEY not in inspected
    assert "an own key" not in inspected


def test_with_the_file_for_tls_broker_and_services_speak_nothing_else(tmp_path: Path) -> None:
    """The services are ready over TLS, others need a password, and a reload keeps connections."""
    need_docker()
    need_mosquitto()
    # Containers read it as other users.
    authority = Authority(tmp_path)
    authority.issue("mosquitto", HOSTS)
    clients = [
        authority.issue(service)
        for service in ("poller", "gateway", "notifier", "recorder", "simulator")
    ]
    port = str(ports.free())
    files = ("docker-compose.yml", "docker-compose.tls.yml")
    env = {"MQTT_TLS_FOLDER": str(tmp_path), "MQTT_TLS_PUBLISHED_PORT": port}
    with compose_project.started("tls", files, env) as project:
        urls = {
            service: dict(
                line.partition("=")[::2] for line in project.containers()[service]["Config"]["Env"]
            )["MQTT_URL"]
            for service in ("poller", "gateway", "recorder", "simulator")
        }
        password = project.compose(
            "exec", "-T", "mosquitto", "/mosquitto/config/credentials", "show", "operator"
        ).strip()
        subscribe = ["mosquitto_sub", "-h", "localhost", "-p", port, "-E", "-t", "pillow/#"]
        trust = ["--cafile", str(clients[0] / "ca.crt")]
        statuses = {
            name: subprocess.run(
                [*subscribe, *words, "-W", "10"],
                capture_output=True, timeout=30, check=False, env={"PATH": SEARCH},
            ).returncode
            for name, words in {
                "with a password": [*trust, "-u", "operator", "-P", password],
                "anonymous": trust,
                "without TLS": ["-u", "operator", "-P", password],
            }.items()
        }  # fmt: skip
        project.compose("exec", "-T", "mosquitto", "/mosquitto/config/start", "reload")
        readiness = project.compose("exec", "-T", "poller", "healthy", "8081", "/readyz")
        plain = project.compose(
            "exec",
            "-T",
            "mqtt-port",
            "bash",
            "-c",
            "echo 2>/dev/null >/dev/tcp/mosquitto/1884 || echo no",
        )

    assert urls == {service: f"mqtts://{service}@mosquitto:8884" for service in urls}
    assert {name for name, status in statuses.items() if status == 0} == {"with a password"}
    assert readiness == ""
    assert plain.strip() == "no"


def test_what_killed_tests_left_behind_is_removed_and_nothing_else() -> None:
    """A project of a process that is gone, beside one of this process and one of somebody else."""
    need_docker()
    gone = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True)
    left = compose_project.unique_name("left", int(gone.stdout))
    others = [compose_project.unique_name("own"), f"somebodys-{uuid4().hex[:8]}"]
    with compose_project.alone():
        for kind, name in (("volume", left), *(("network", name) for name in (left, *others))):
            labels = (f"{compose_project.LABEL}={name}", f"com.docker.compose.{kind}=one")
            words = [word for label in labels for word in ("--label", label)]
            subprocess.run(["docker", kind, "create", *words, name], check=True)
        try:
            removed = compose_project.remove_abandoned()
            names = compose_project.names()
        finally:
            for name in others:
                subprocess.run(["docker", "network", "rm", name], check=True)

    assert left in removed
    assert left not in names
    assert names.issuperset(others)
