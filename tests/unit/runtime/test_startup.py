"""The settings and logs that a service or a command starts with."""

import io
import json
import logging

import pytest
import structlog

from runtime.settings import CommonSettings
from runtime.startup import configure_service_logs, load_for_command


def test_a_service_logs_as_its_settings_say_and_names_ignored_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "warning")
    monkeypatch.setenv("LOG_FORMAT", "json")
    monkeypatch.setenv("MQTT_PASSWORD", "open sesame")
    monkeypatch.setenv("MQTT_PASWORD", "")
    stream = io.StringIO()

    configure_service_logs("poller", CommonSettings.load(), stream=stream, secrets=["of a rule"])
    structlog.get_logger().info("below the level")
    structlog.get_logger().warning("secrets", one="open sesame", other="of a rule")

    ignored, secrets = map(json.loads, stream.getvalue().splitlines())
    assert (ignored["service"], ignored["variable"]) == ("poller", "MQTT_PASWORD")
    assert (secrets["one"], secrets["other"]) == ("***", "***")


def test_a_command_logs_from_its_own_level_up_under_the_name_of_its_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")
    monkeypatch.setenv("MQTT_PASSWORD", "open sesame")

    settings = load_for_command(
        "poller dead-letters", CommonSettings.load, level="error", LOG_FORMAT="json"
    )
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream := io.StringIO())
    structlog.get_logger().warning("below the level")
    structlog.get_logger().error("a secret", password="open sesame")

    assert settings.log_format == "json"
    record = json.loads(stream.getvalue())
    assert (record["service"], record["password"]) == ("poller", "***")


def test_a_wrong_setting_ends_a_command_with_status_2_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MQTT_PROTOCOL", "4")

    with pytest.raises(SystemExit) as ended:
        load_for_command("poller dead-letters", CommonSettings.load, level="error")

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(
        "poller dead-letters: these settings cannot be used:\n  MQTT_PROTOCOL = '4'"
    )
