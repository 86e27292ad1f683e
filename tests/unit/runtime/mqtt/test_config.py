"""The configuration of a session that the settings of a service give."""

import pytest

from contract.topics import is_instance_name
from runtime.mqtt.config import SessionConfig
from runtime.settings import CommonSettings


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> CommonSettings:
    monkeypatch.setenv("MQTT_URL", "mqtt://gateway@broker.example")
    monkeypatch.setenv("MQTT_PROTOCOL", "3.1.1")
    monkeypatch.setenv("TOPIC_PREFIX", "home/pillow")
    monkeypatch.setenv("INSTANCE", "i" * 63)
    return CommonSettings.load()


def test_a_service_has_the_broker_and_the_topics_of_its_settings(settings: CommonSettings) -> None:
    config = SessionConfig.for_service(settings, "gateway")

    assert (config.broker, config.protocol) == (settings.broker, "3.1.1")
    assert (config.service, config.instance) == ("gateway", settings.instance)
    assert config.status_topic == f"home/pillow/bridge/gateway/{settings.instance}/status"
    assert config.mark_topic == f"home/pillow/bridge/gateway/{settings.instance}/mark"


def test_a_command_has_an_instance_of_its_own_with_a_valid_name(settings: CommonSettings) -> None:
    config = SessionConfig.for_service(settings, "gateway", "share")

    assert config.instance == f"{'i' * 56}-share"
    assert is_instance_name(config.instance)
    assert config.status_topic == f"home/pillow/bridge/gateway/{config.instance}/status"
    assert config.mark_topic == f"home/pillow/bridge/gateway/{config.instance}/mark"
