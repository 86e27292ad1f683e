"""The poller's settings: defaults, and an error message for each wrong value."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from azure_queue import development_account
from poller.settings import PollerSettings
from runtime.settings import SettingsError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in PollerSettings.model_fields.values():
        monkeypatch.delenv(field.alias or "", raising=False)
        monkeypatch.delenv(f"{field.alias}_FILE", raising=False)


def test_the_defaults_are_those_of_the_design() -> None:
    """Azurite on this machine, five attempts, leases of 30 s, polls 0.01 s to 10 s apart."""
    settings = PollerSettings.load()

    assert settings.connection_string.get_secret_value() == development_account.connection_string()
    assert (settings.queue, settings.poison_queue) == ("pillow-state", "pillow-state-poison")
    assert (settings.max_attempts, settings.visibility_timeout) == (5, 30)
    assert (settings.poll_min, settings.poll_max, settings.poll_hot) == (0.01, 10, 5)
    assert (settings.poll_watched, settings.poll_unknown) == (0.1, 2)
    assert (settings.host, settings.port) == ("127.0.0.1", 8081)
    assert (settings.endpoint, settings.default_pillow) == (None, "cloud")
    assert (settings.mqtt_protocol, settings.topic_prefix) == ("5", "pillow")


def test_poll_max_holds_where_no_gateway_says_anything_if_it_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever it is; without it polls are 2 s apart there, because somebody may look."""
    for value in ("0.5", "10", "60"):
        monkeypatch.setenv("POLLER_POLL_MAX", value)
        assert PollerSettings.load().poll_unknown == float(value)

    monkeypatch.setenv("POLLER_POLL_MAX", "")
    assert PollerSettings.load().poll_unknown == 2


def test_the_poison_queue_is_named_after_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless POISON_QUEUE_NAME is set; an empty value counts as unset."""
    monkeypatch.setenv("QUEUE_NAME", "garden")
    assert PollerSettings.load().poison_queue == "garden-poison"

    monkeypatch.setenv("POISON_QUEUE_NAME", "")
    assert PollerSettings.load().poison_queue == "garden-poison"

    monkeypatch.setenv("POISON_QUEUE_NAME", "attic")
    assert PollerSettings.load().poison_queue == "attic"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("QUEUE_NAME", "Pillow_State"),
        ("QUEUE_NAME", "a--b"),
        ("QUEUE_NAME", "ab"),
        ("QUEUE_NAME", "a" * 64),
        ("QUEUE_NAME", "-abc"),
        ("POISON_QUEUE_NAME", "poison!"),
        ("POLLER_MAX_ATTEMPTS", "0"),
        ("POLLER_MAX_ATTEMPTS", "often"),
        ("POLLER_VISIBILITY_TIMEOUT", "1"),
        ("POLLER_VISIBILITY_TIMEOUT", "604801"),
        ("POLLER_POLL_MIN", "0"),
        ("POLLER_POLL_MIN", "nan"),
        ("POLLER_POLL_MAX", "inf"),
        ("POLLER_POLL_WATCHED", "0"),
        ("POLLER_POLL_WATCHED", "61"),
        ("POLLER_POLL_HOT", "-1"),
        ("POLLER_DEFAULT_PILLOW", "bridge"),
        ("POLLER_DEFAULT_PILLOW", "../../x"),
        ("POLLER_PORT", "65536"),
        ("MQTT_PROTOCOL", "4"),
        ("TOPIC_PREFIX", "pillow/#"),
        ("INSTANCE", "One Two"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """The message has the variable and the value that was given."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as caught:
        PollerSettings.load()

    assert f"{variable} = '{value}'".lower() in str(caught.value).lower()


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One start reports every wrong variable, and no password."""
    monkeypatch.setenv("QUEUE_NAME", "x")
    monkeypatch.setenv("POLLER_MAX_ATTEMPTS", "many")
    monkeypatch.setenv("MQTT_URL", "http://user:hunter2@broker")

    with pytest.raises(SettingsError) as caught:
        PollerSettings.load()

    message = str(caught.value)
    assert all(name in message for name in ("QUEUE_NAME", "POLLER_MAX_ATTEMPTS", "MQTT_URL"))
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"POLLER_POLL_MIN": "5", "POLLER_POLL_MAX": "2"},
            "POLLER_POLL_MIN = 5 is above POLLER_POLL_MAX = 2",
        ),
        (
            {"QUEUE_NAME": "garden", "POISON_QUEUE_NAME": "garden"},
            "POISON_QUEUE_NAME = 'garden' is QUEUE_NAME",
        ),
    ],
)
def test_two_settings_that_contradict_are_both_named(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: str
) -> None:
    """Each value is valid by itself."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=expected):
        PollerSettings.load()


def test_the_connection_string_is_a_secret_and_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The representation does not show it; a file that cannot be read is named."""
    secret = tmp_path / "connection"
    secret.write_text("AccountName=a;AccountKey=hunter2;\n")
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING_FILE", str(secret))

    settings = PollerSettings.load()

    assert settings.connection_string == SecretStr("AccountName=a;AccountKey=hunter2=;")
    assert "hunter2" not in repr(settings)
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING_FILE", str(tmp_path / "absent"))
    with pytest.raises(SettingsError, match=r"CONNECTION_STRING_FILE.*absent.*No such file"):
        PollerSettings.load()
