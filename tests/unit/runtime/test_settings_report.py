"""The settings report: every setting, where it is from, and no secret."""

import pytest

from runtime.settings import CommonSettings
from runtime.settings_report import UnknownVariable, report_settings, report_unknown


def test_every_setting_is_reported_with_whether_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    monkeypatch.setenv("TOPIC_PREFIX", "home/pillow")

    found = {one.name: one for one in report_settings(CommonSettings.load())}

    assert found.keys() == {one.alias for one in CommonSettings.model_fields.values()}
    assert (found["TOPIC_PREFIX"].value, found["TOPIC_PREFIX"].is_set) == ("home/pillow", True)
    assert (found["LOG_LEVEL"].value, found["LOG_LEVEL"].is_set) == ("info", False)
    assert "version" in found["MQTT_PROTOCOL"].description


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MQTT_URL", "mqtt://poller:sesame@broker")
    monkeypatch.setenv("MQTT_PASSWORD", "open-sesame")

    reports = report_settings(CommonSettings.load())

    assert "sesame" not in repr(reports)
    assert {one.value for one in reports if one.name.startswith(("MQTT_URL", "MQTT_PASS"))} == {
        "***"
    }


def test_a_misspelt_variable_is_reported_with_the_one_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MQTT_PROTOCL", "5")

    assert UnknownVariable("MQTT_PROTOCL", "MQTT_PROTOCOL") in report_unknown(CommonSettings)
