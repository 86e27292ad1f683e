"""docker compose --profile observability: valid with each overlay, and on loopback only."""

import json
import os
import subprocess
from typing import Any

import pytest

from devstack.processes import ROOT
from tests.machine import need_docker

pytestmark = pytest.mark.docker

OVERLAYS = ((), ("azure",), ("tls",), ("azure", "production"))
PRODUCTION = {
    "GATEWAY_PUBLIC_URL": "https://clouds.example.org/",
    "GATEWAY_ALLOWED_HOSTS": "clouds.example.org",
    "GATEWAY_TRUSTED_PROXIES": "10.9.0.0/16",
    "AZURE_STORAGE_CONNECTION_STRING": "AccountName=a;AccountKey=YQ==;QueueEndpoint=http://q/a",
}


def services(*overlays: str, profile: bool = True) -> dict[str, Any]:
    """Return the services as compose understands them."""
    need_docker()
    files = ["docker-compose.yml", *(f"docker-compose.{one}.yml" for one in overlays)]
    done = subprocess.run(
        [
            *("docker", "compose", *(word for file in files for word in ("-f", file))),
            *(("--profile", "observability") if profile else ()),
            *("config", "--format", "json"),
        ],
        cwd=ROOT,
        env=os.environ | PRODUCTION,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


@pytest.mark.parametrize("overlays", OVERLAYS, ids=lambda names: "+".join(names) or "alone")
def test_prometheus_and_grafana_are_added_on_loopback(overlays: tuple[str, ...]) -> None:
    """And reach the services by a network without a way out, which the broker is not on."""
    found = services(*overlays)
    for name, port in (("prometheus", 9090), ("grafana", 3000)):
        (published,) = found[name]["ports"]
        assert (published["host_ip"], published["target"]) == ("127.0.0.1", port)
        assert set(found[name]["networks"]) == {"metrics", "published"}
        assert found[name]["read_only"]
    scraped = {name for name, one in found.items() if "metrics" in (one["networks"] or {})}
    assert {"poller", "gateway"} <= scraped
    assert not scraped & {"mosquitto", "azurite"}


def test_nobody_is_an_administrator_of_grafana() -> None:
    """There is no password that could be the default one."""
    settings = services()["grafana"]["environment"]
    assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


def test_without_the_profile_there_is_neither() -> None:
    """Nothing is built or started that nobody asked for."""
    assert not {"prometheus", "grafana"} & set(services(profile=False))
