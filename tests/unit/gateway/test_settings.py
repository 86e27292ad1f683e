"""What the gateway can be told, and what it says when it is told nonsense."""

import os

import pytest

from gateway.settings import GatewaySettings
from runtime.settings import SettingsError


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("GATEWAY_", "MQTT_", "TOPIC_", "INSTANCE", "LOG_")):
            monkeypatch.delenv(name)


def test_the_defaults_are_those_that_are_documented() -> None:
    """A gateway runs with none of them set."""
    settings = GatewaySettings.load()

    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8080, 1)
    assert settings.allowed_origins == ()
    assert settings.expire_after == 30
    assert settings.history_bytes == 64 * 1024 * 1024
    assert settings.auth == "none"
    assert settings.topic_prefix == "pillow"
    assert str(settings.broker) == "mqtt://localhost:1883"


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """With spaces or without."""
    monkeypatch.setenv("GATEWAY_ALLOWED_ORIGINS", "https://a.example, http://b.example:81,*,")

    assert GatewaySettings.load().allowed_origins == (
        "https://a.example",
        "http://b.example:81",
        "*",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_PORT", "65536"),
        ("GATEWAY_PORT", "http"),
        ("GATEWAY_WORKERS", "2"),
        ("GATEWAY_EXPIRE_AFTER", "0"),
        ("GATEWAY_EXPIRE_AFTER", "nan"),
        ("GATEWAY_EXPIRE_AFTER", "inf"),
        ("GATEWAY_EXPIRE_AFTER", "-1"),
        ("GATEWAY_HISTORY_BYTES", "-1"),
        ("GATEWAY_AUTH", "jwt"),
        ("GATEWAY_ALLOWED_ORIGINS", "a.example"),
        ("GATEWAY_ALLOWED_ORIGINS", "https://a.example/"),
        ("GATEWAY_ALLOWED_ORIGINS", "https://a.example/path"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """So that whoever set it knows where to look."""
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as refused:
        GatewaySettings.load()

    assert name in str(refused.value)
    assert value in str(refused.value)


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one at each start; and what may be in a broker's address is not shown."""
    monkeypatch.setenv("GATEWAY_PORT", "-1")
    monkeypatch.setenv("GATEWAY_HISTORY_BYTES", "much")
    monkeypatch.setenv("MQTT_URL", "http://u:sesame@h")

    with pytest.raises(SettingsError) as refused:
        GatewaySettings.load()

    for name in ("GATEWAY_PORT", "GATEWAY_HISTORY_BYTES", "MQTT_URL"):
        assert name in str(refused.value)
    assert "sesame" not in str(refused.value)
