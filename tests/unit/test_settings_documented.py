"""`.env.example` says what the code says: every setting, its default and its sentence, no other."""

import re
from functools import cache
from typing import Final, NamedTuple

import pytest
from pydantic.fields import FieldInfo

from devstack.processes import ROOT
from gateway.settings import GatewaySettings
from poller.settings import PollerSettings
from runtime.settings import CommonSettings, is_secret
from simulator.settings import SimulatorSettings

EXAMPLE: Final = (ROOT / ".env.example").read_text(encoding="utf-8")
COMPOSE: Final = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

SERVICES: Final[dict[str, type[CommonSettings]]] = {
    "poller": PollerSettings,
    "gateway": GatewaySettings,
    "simulator": SimulatorSettings,
}
VARIABLE: Final = re.compile(r"#([A-Z][A-Z0-9_]*)=(.*)")


class Line(NamedTuple):
    """A variable as the file has it: in which section, with which value, after which sentence."""

    section: str
    value: str
    sentence: str


@cache
def listed() -> dict[str, Line]:
    """Every variable of the file."""
    found: dict[str, Line] = {}
    section = ""
    words: list[str] = []
    for line in EXAMPLE.splitlines():
        if match := VARIABLE.fullmatch(line):
            name, value = match.groups()
            assert name not in found, f"{name} is listed twice"
            found[name] = Line(section, value.strip('"'), " ".join(words))
            words = []
        elif line.startswith("# --- "):
            section, words = line.strip("# -"), []
        elif line.startswith("# "):
            words.append(line.removeprefix("# "))
        else:
            words = []
    return found


def fields(service: type[CommonSettings]) -> dict[str, FieldInfo]:
    """A service's settings by the names of their variables."""
    return {field.alias or name: field for name, field in service.model_fields.items()}


def settings() -> dict[str, list[FieldInfo]]:
    """Every setting by its variable, with the field of each service that has it."""
    found: dict[str, list[FieldInfo]] = {}
    for service in SERVICES.values():
        for name, field in fields(service).items():
            found.setdefault(name, []).append(field)
    return found


def compose_only() -> dict[str, str]:
    """The variables that docker-compose.yml itself reads, with their defaults."""
    return dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", COMPOSE))


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which nothing is set."""
    for name in settings():
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.setenv("INSTANCE", "box")
    monkeypatch.setenv("SIMULATOR_SEED", "7")
    return monkeypatch


def test_copying_the_file_changes_nothing() -> None:
    """Every line is a comment."""
    assert [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")] == []


@pytest.mark.parametrize("name", sorted(settings()))
def test_a_setting_is_listed_with_the_sentence_it_has_in_the_code(name: str) -> None:
    """That of one of its services, where several have it."""
    sentences = [field.description for field in settings()[name]]

    assert name in listed()
    assert listed()[name].sentence in sentences


@pytest.mark.parametrize("name", sorted(settings()))
def test_a_setting_stands_in_the_section_of_who_reads_it(name: str) -> None:
    """Of a service, of the queue's two, or of all."""
    readers = {service for service, kind in SERVICES.items() if name in fields(kind)}
    section = {3: "every service", 2: "poller and simulator"}.get(len(readers), min(readers))

    assert listed()[name].section == section


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_service_given_what_is_listed_is_a_service_given_nothing(
    service: str, clean: pytest.MonkeyPatch
) -> None:
    """Every value in the file is the default."""
    kind = SERVICES[service]
    default = kind.load()
    for name in fields(kind):
        if name not in ("INSTANCE", "SIMULATOR_SEED"):
            clean.setenv(name, listed()[name].value)

    assert kind.load() == default


@pytest.mark.parametrize("name", sorted(settings()))
def test_a_setting_listed_without_a_value_has_no_fixed_default(name: str) -> None:
    """And one that has is not listed without."""
    for field in settings()[name]:
        fixed = field.default_factory is None and field.default not in (None, "", ())

        assert fixed == (listed()[name].value != "")


def test_every_secret_is_listed_with_its_file() -> None:
    """And nothing else is."""
    secrets = {name for name, found in settings().items() if any(map(is_secret, found))}
    files = {name.removesuffix("_FILE") for name in listed() if name.endswith("_FILE")}

    assert files == secrets
    for name in secrets:
        assert listed()[f"{name}_FILE"].section == listed()[name].section


def test_what_docker_compose_reads_is_listed_with_its_default() -> None:
    """In a section of its own."""
    section = {
        name: line.value for name, line in listed().items() if line.section == "docker compose"
    }

    assert section == compose_only()
    assert all(listed()[name].sentence for name in section)


def test_nothing_is_listed_that_does_not_exist() -> None:
    """Neither in the code nor in docker-compose.yml."""
    files = {f"{name}_FILE" for name, found in settings().items() if any(map(is_secret, found))}

    assert set(listed()) == set(settings()) | files | set(compose_only())


def test_docker_compose_sets_and_passes_on_only_what_exists() -> None:
    """A variable spelled wrong there would be silently without effect."""
    named = set(re.findall(r"^ +([A-Z][A-Z0-9_]+):", COMPOSE, re.MULTILINE))

    assert named <= set(settings()) | set(compose_only())
