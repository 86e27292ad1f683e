"""Checks of services: what each says of itself becomes a line with what to do."""

import asyncio

import pytest

from ops.doctor.service_checks import check_services
from ops.doctor.subject import Subject
from ops.endpoints import Endpoint
from ops.findings import Finding, Findings, Level
from tests.unit.ops.services import FakeService, fake_service

NOTHING = Subject(None, None, ())


async def checked(endpoint: Endpoint) -> list[Finding]:
    found = Findings(endpoint.service)
    async with asyncio.timeout(20):
        await check_services(endpoint, NOTHING, found)
    return found.list


async def wrong_line(fake: FakeService) -> str:
    [line] = [one for one in await checked(fake.endpoint) if one.level is Level.WRONG]
    return f"{line.name}: {line.detail} -> {line.advice}"


async def test_a_service_that_is_well_has_nothing_wrong() -> None:
    async with fake_service("gateway") as fake:
        findings = await checked(fake.endpoint)

    assert {one.level for one in findings} == {Level.OK}
    assert "gateway one: limits" in [one.name for one in findings]


@pytest.mark.parametrize(
    ("about", "parts"),
    [
        ({"version": "0.0.9"}, ("version: 0.0.9", "install one version everywhere")),
        ({"queue_offset_s": -31.0}, ("queue's time", "+31.0 s", "NTP")),
        (
            {"ignored": [{"variable": "GATEWAY_ALOWED", "meant": "GATEWAY_ALLOWED_HOSTS"}]},
            ("GATEWAY_ALOWED: is no setting", "write GATEWAY_ALLOWED_HOSTS"),
        ),
    ],
)
async def test_what_is_wrong_with_it_is_named(
    about: dict[str, object], parts: tuple[str, ...]
) -> None:
    async with fake_service("gateway") as fake:
        fake.about |= about
        line = await wrong_line(fake)

    assert all(part in line for part in parts), line


@pytest.mark.parametrize(
    ("state", "parts"),
    [
        ("mqtt://b: cannot connect", ("cannot connect", "MQTT_URL")),
        (
            "ok; mqtt://b: another process uses this instance name",
            ("another process uses this instance name", "an INSTANCE of its own"),
        ),
        (
            "ok; pollers do not coordinate: the broker refused a publish",
            ("pollers do not coordinate", "bridge/poller/active/+"),
        ),
    ],
)
async def test_a_dependency_that_fails_or_is_limited(state: str, parts: tuple[str, ...]) -> None:
    async with fake_service("poller") as fake:
        fake.documents["/readyz"]["dependencies"]["mqtt"] = state
        line = await wrong_line(fake)

    assert all(part in line for part in parts), line


async def test_a_poller_that_stands_by_is_well() -> None:
    async with fake_service("poller") as fake:
        fake.documents["/readyz"]["dependencies"]["queue"] = "ok; standby: one receives"
        findings = await checked(fake.endpoint)

    assert {one.level for one in findings} == {Level.OK}
    assert "standby: one receives" in [one.detail for one in findings]


async def test_a_journal_that_cannot_be_written() -> None:
    state = "ok; without a journal, a power cut may lose states: No space left on device"
    async with fake_service("poller") as fake:
        fake.documents["/readyz"]["dependencies"] = {"queue": "ok", "journal": state}
        line = await wrong_line(fake)

    assert "make room on the disk of POLLER_JOURNAL" in line


async def test_a_clock_that_differs() -> None:
    async with fake_service("poller") as fake:
        fake.skew_ms = 30_000
        line = await wrong_line(fake)

    assert "clock: differs by +30" in line
    assert "NTP" in line


async def test_a_limit_that_is_near_names_its_setting() -> None:
    async with fake_service("gateway") as fake:
        fake.documents["/ops/limits"] = [
            {"what": "clients", "used": 95, "size": 100, "setting": "GATEWAY_MAX_BROWSERS"}
        ]
        line = await wrong_line(fake)

    assert line == "gateway one: clients: 95 of 100 -> raise GATEWAY_MAX_BROWSERS"


async def test_another_service_an_older_one_and_another_program() -> None:
    async with fake_service("gateway") as fake:
        foreign = Endpoint("poller", fake.endpoint.host, fake.endpoint.port)
        [other] = await checked(foreign)
        assert "is a gateway" in other.detail
        assert "another program has the port" in other.advice
        fake.about = {"service": "gateway"}
        [older] = await checked(fake.endpoint)
        assert "of this version" in older.detail
        assert "install version" in older.advice
        del fake.documents["/readyz"]
        [program] = await checked(fake.endpoint)
        assert "another program has the port" in program.advice
