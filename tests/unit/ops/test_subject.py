"""The subject: the settings of all services, each wrong one once, and where their ports are."""

import pytest

from ops.doctor.subject import load_subject
from ops.findings import Level
from tests.deployment import environment, wrong

EVERY = frozenset(("poller", "gateway", "notifier"))


def test_a_wrong_value_that_several_services_have_is_one_line_without_the_secret() -> None:
    with environment({"MQTT_URL": "http://user:sesame@broker", "LOG_LEVEL": "loud"}):
        subject, found = load_subject(None, None, EVERY)

    lines = wrong(found.list)
    assert (subject.poller, subject.gateway, subject.endpoints) == (None, None, ())
    assert [line.split(":")[0] for line in lines] == ["settings MQTT_URL", "settings LOG_LEVEL"]
    assert "sesame" not in "".join(lines)


def test_every_setting_is_one_line() -> None:
    with environment({"POLLER_POLL_MAX": "5"}):
        subject, found = load_subject(None, None, EVERY)

    names = [one.name for one in found.list]
    assert len(names) == len(set(names)) > 60
    assert {one.level for one in found.list} == {Level.OK}
    assert "5.0 (set; poller)" in [one.detail for one in found.list]
    assert [one.service for one in subject.endpoints] == ["poller", "gateway"]


@pytest.mark.parametrize(
    ("env", "url", "address"),
    [
        ({"NOTIFIER_PORT": "9083"}, None, "http://127.0.0.1:9083"),
        ({}, "http://notifier", "http://notifier:8083"),
    ],
)
def test_a_notifier_is_looked_at_where_there_is_one(
    env: dict[str, str], url: str | None, address: str
) -> None:
    with environment(env):
        subject, _ = load_subject(None, None, EVERY, url)

    assert str(subject.endpoints[-1]) == address
    assert subject.endpoints[-1].setting == "NOTIFIER_PORT"


def test_a_misspelt_setting_of_any_service_is_named_with_the_one_meant() -> None:
    with environment({"NOTIFIER_RULS": "x", "GATEWAY_ALOWED_ORIGINS": "*"}):
        _, found = load_subject(None, None, EVERY)

    assert [line.partition(" -> ")[2] for line in wrong(found.list)] == [
        "write GATEWAY_ALLOWED_ORIGINS",
        "write NOTIFIER_RULES",
    ]
