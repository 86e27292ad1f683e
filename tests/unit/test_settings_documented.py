"""`.env.example` lists each setting once, with the default and the description of the code."""

import re
from functools import cache
from typing import Final

import pytest
from pydantic.fields import FieldInfo

from devstack.processes import ROOT
from docsite.reference import settings as settings_page
from docsite.reference.settings import Entry
from gateway.settings import GatewaySettings
from notifier.settings import NotifierSettings
from poller.settings import PollerSettings
from recorder.settings import RecorderSettings
from runtime.secret_files import is_secret
from runtime.settings import CommonSettings
from runtime.unknown_settings import unknown_settings
from simulator.settings import SimulatorSettings

EXAMPLE: Final = (ROOT / ".env.example").read_text(encoding="utf-8")
COMPOSE: Final = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
OVERRIDES: Final = "".join(
    path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("docker-compose.*.yml"))
)

SERVICES: Final[dict[str, type[CommonSettings]]] = {
    "poller": PollerSettings,
    "gateway": GatewaySettings,
    "notifier": NotifierSettings,
    "recorder": RecorderSettings,
    "simulator": SimulatorSettings,
}


@cache
def entries() -> dict[str, Entry]:
    """Return the file's entries by variable."""
    found: dict[str, Entry] = {}
    for entry in settings_page.entries(EXAMPLE):
        assert entry.name not in found, f"{entry.name} is listed twice"
        found[entry.name] = entry
    return found


def fields(service: type[CommonSettings]) -> dict[str, FieldInfo]:
    """Return a service's settings by variable."""
    return {field.alias or name: field for name, field in service.model_fields.items()}


def settings() -> dict[str, list[FieldInfo]]:
    """Return every setting by variable, with the field of each service that has it."""
    found: dict[str, list[FieldInfo]] = {}
    for service in SERVICES.values():
        for name, field in fields(service).items():
            found.setdefault(name, []).append(field)
    return found


def compose_variables() -> dict[str, str]:
    """Return the variables that the compose files themselves read, with their defaults.

    Where another file has another default, that of docker-compose.yml.
    """
    read = dict(re.findall(r"\$\{([A-Z_]+):-([^${}]*)\}", OVERRIDES + COMPOSE))
    known = settings().keys() | secret_files()
    return {name: default for name, default in read.items() if name not in known}


def passed_on(service: str) -> set[str]:
    """Return the variables in the environment of a service of docker-compose.yml."""
    parts = dict(re.findall(r"^x-\w+: &(\w+)\n((?:  .*\n|\n)*)", COMPOSE, re.MULTILINE))
    [block] = re.findall(rf"^  {service}:\n((?:    .*\n|\n)*)", COMPOSE, re.MULTILINE)
    [environment] = re.findall(r"^    environment:\n((?:      .*\n)*)", block, re.MULTILINE)
    used = [parts[name] for name in re.findall(r"\*(\w+)", environment)]
    found = set(re.findall(r"^ +([A-Z][A-Z0-9_]+):", "".join((environment, *used)), re.MULTILINE))
    return found - set(secret_files())


def secret_files() -> dict[str, str]:
    """Return the `<NAME>_FILE` variable of each secret."""
    return {
        f"{name}_FILE": name for name, found in settings().items() if any(map(is_secret, found))
    }


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Unset all settings, and fix those whose default is random or depends on the machine."""
    for name in settings():
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.setenv("INSTANCE", "box")
    monkeypatch.setenv("SIMULATOR_SEED", "7")
    return monkeypatch


def test_a_copy_of_the_file_sets_nothing() -> None:
    """Every line is a comment."""
    assert [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")] == []


def test_the_file_lists_each_setting_of_the_code_and_of_compose_and_no_other() -> None:
    """A missing one would be unknown to operators, an additional one without effect."""
    assert set(entries()) == set(settings()) | set(secret_files()) | set(compose_variables())


def test_no_variable_of_compose_is_taken_for_a_misspelled_setting() -> None:
    """They are in the environment of a service that is started by hand with an exported .env."""
    variables = dict.fromkeys(compose_variables(), "")

    assert unknown_settings(variables, set(settings())) == []


def test_a_setting_has_the_description_that_it_has_in_the_code() -> None:
    """Where several services have a setting, the description of one of them."""
    offenders = [
        f"{name}: {entries()[name].sentence!r}, in the code {found[0].description!r}"
        for name, found in settings().items()
        if entries()[name].sentence not in [field.description for field in found]
    ]

    assert offenders == []


def test_a_setting_is_in_the_section_of_the_services_that_read_it() -> None:
    """One service, two of them, or every service."""
    offenders = []
    for name in settings():
        readers = {service for service, kind in SERVICES.items() if name in fields(kind)}
        section = (
            "every service" if len(readers) == len(SERVICES) else " and ".join(sorted(readers))
        )
        if entries()[name].section != section:
            offenders.append(f"{name}: in {entries()[name].section!r}, not in {section!r}")

    assert offenders == []


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_value_in_the_file_is_the_default(
    service: str, no_environment: pytest.MonkeyPatch
) -> None:
    """A service with all of them set has the same settings as one with none."""
    kind = SERVICES[service]
    default = kind.load()
    for name in fields(kind):
        if name not in ("INSTANCE", "SIMULATOR_SEED"):
            no_environment.setenv(name, entries()[name].value)

    assert kind.load() == default


def test_a_setting_without_a_value_in_the_file_has_no_fixed_default() -> None:
    """And a setting with a fixed default is listed with it."""
    offenders = [
        name
        for name, found in settings().items()
        for field in found
        if (field.default_factory is None and field.default not in (None, "", ()))
        != (entries()[name].value != "")
    ]

    assert offenders == []


def test_a_secret_is_listed_with_its_file_in_the_same_section() -> None:
    """A secret can be set by the variable, or by a file that `<NAME>_FILE` names."""
    files = {name for name in entries() if name.endswith("_FILE") and name not in settings()}

    assert files == set(secret_files())
    assert [
        name
        for name, secret in secret_files().items()
        if entries()[name].section != entries()[secret].section
    ] == []


def test_what_docker_compose_reads_is_listed_in_its_own_section_with_its_default() -> None:
    """Published ports and passwords, for example; each with a sentence."""
    section = {
        name: entry.value for name, entry in entries().items() if entry.section == "docker compose"
    }

    assert section == compose_variables()
    assert [name for name in section if not entries()[name].sentence] == []


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_docker_compose_passes_on_each_setting_of_a_service_and_no_other(service: str) -> None:
    """A setting in .env that does not arrive, or a misspelled one, would have no effect."""
    assert passed_on(service) == set(fields(SERVICES[service]))


def test_docker_compose_gives_no_service_that_can_be_scaled_a_host_name() -> None:
    """The host name is the default of INSTANCE, and two containers must not share one."""
    for service in SERVICES:
        [block] = re.findall(rf"^  {service}:\n((?:    .*\n|\n)*)", COMPOSE, re.MULTILINE)
        assert "hostname:" not in block, service
        assert "container_name:" not in block, service
