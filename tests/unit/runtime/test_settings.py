"""Settings from the environment: all errors at once, and no secret in any of them."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr, ValidationError
from structlog.testing import capture_logs

from contract.topics import is_instance_name
from runtime.broker_url import BrokerAddress
from runtime.settings import CommonSettings, Names, SettingsError


class Settings(CommonSettings):
    """What a service might add."""

    port: int = Field(8080, alias="BOX_PORT", description="Where it listens.")

    token: SecretStr = Field(SecretStr("dev"), alias="TOKEN", description="What opens the door.")
    rate: float = Field(1, alias="RATE", gt=0, description="How often.")
    names: Names = Field((), alias="NAMES", description="Who.")


NOTHING: dict[str, Any] = {}
VARIABLES = [field.alias or "" for field in Settings.model_fields.values()]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def refusal() -> str:
    """The error for an invalid environment."""
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    return str(caught.value)


def test_the_defaults_are_those_of_the_design() -> None:
    """A broker on this machine, MQTT 5, the prefix `pillow`."""
    settings = Settings.load()

    assert settings.broker == BrokerAddress("localhost", 1883)
    assert (settings.mqtt_protocol, settings.topic_prefix) == ("5", "pillow")
    assert (settings.log_level, settings.log_format) == ("info", None)


def test_a_wrong_part_of_the_log_level_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among others that are right."""
    monkeypatch.setenv("LOG_LEVEL", "info,gateway.transport=loud,azure=warning")

    with pytest.raises(SettingsError) as caught:
        Settings.load()

    assert "LOG_LEVEL" in str(caught.value)
    assert "'gateway.transport=loud' has no level: use debug, info" in str(caught.value)


def test_each_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own name."""
    monkeypatch.setenv("MQTT_URL", "mqtts://u:p@broker")
    monkeypatch.setenv("MQTT_PROTOCOL", "3.1.1")
    monkeypatch.setenv("TOPIC_PREFIX", "home/pillow")
    monkeypatch.setenv("INSTANCE", "box-1")
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("LOG_FORMAT", "json")
    monkeypatch.setenv("NAMES", " a, b ,,c")

    settings = Settings.load()

    assert settings.broker == BrokerAddress("broker", 8883, tls=True, user="u", password="p")
    assert (settings.mqtt_protocol, settings.topic_prefix) == ("3.1.1", "home/pillow")
    assert (settings.instance, settings.log_level, settings.log_format) == (
        "box-1", "debug", "json",
    )  # fmt: skip
    assert settings.names == ("a", "b", "c")


@pytest.mark.parametrize("name", VARIABLES)
def test_an_empty_variable_counts_as_unset(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose passes variables that are not set as empty ones."""
    monkeypatch.setenv("INSTANCE", "box-1")
    defaults = Settings.load()
    if name != "INSTANCE":
        monkeypatch.setenv(name, "")
        monkeypatch.setenv(f"{name}_FILE", "")

    assert Settings.load() == defaults


def test_an_option_takes_precedence_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option that is not given does not."""
    monkeypatch.setenv("RATE", "2")
    monkeypatch.setenv("TOPIC_PREFIX", "home")

    settings = Settings.load(RATE=3, TOPIC_PREFIX=None)

    assert (settings.rate, settings.topic_prefix) == (3, "home")


def test_an_error_names_every_invalid_variable_its_value_and_its_meaning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One start shows everything that has to be corrected."""
    monkeypatch.setenv("MQTT_PROTOCOL", "4")
    monkeypatch.setenv("TOPIC_PREFIX", "pillow/#")
    monkeypatch.setenv("INSTANCE", "Box 1")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    monkeypatch.setenv("LOG_FORMAT", "xml")
    monkeypatch.setenv("RATE", "often")
    monkeypatch.setenv("MQTT_URL", "http://u:s3cret@broker")
    monkeypatch.setenv("MQTT_PASSWORD", "s3\ncret")
    for name in ("MQTT_TLS_CA", "MQTT_TLS_CERT", "MQTT_TLS_KEY"):
        monkeypatch.setenv(name, str(tmp_path / "missing"))
    monkeypatch.setenv("TOKEN_FILE", str(tmp_path / "missing"))

    said = refusal()

    for shown in (
        "MQTT_PROTOCOL = '4': ",
        "TOPIC_PREFIX = 'pillow/#': is no topic prefix",
        "INSTANCE = 'Box 1': is no instance name",
        "LOG_LEVEL = 'loud': ",
        "LOG_FORMAT = 'xml': ",
        "RATE = 'often': ",
        "MQTT_URL (value not shown): starts with neither mqtt:// nor mqtts://",
        "MQTT_PASSWORD (value not shown): contains a line break",
        f"MQTT_TLS_CA = '{tmp_path}/missing': is not a file that can be read",
        f"MQTT_TLS_CERT = '{tmp_path}/missing': is not a file that can be read",
        f"MQTT_TLS_KEY = '{tmp_path}/missing': is not a file that can be read",
        f"TOKEN_FILE = '{tmp_path}/missing': No such file or directory",
    ):
        assert f"\n  {shown}" in said
    for field in Settings.model_fields.values():
        if field.alias not in ("TOKEN", "NAMES", "BOX_PORT"):
            assert f"\n      {field.description}" in said


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=6).map("s3cret".__add__),
    st.sampled_from(["mqtt://u:%s@h:x", "http://u:%s@h", "%s", "mqtt://u:%s", "mqtt://%s[:x@h"]),
)
def test_a_secret_is_never_shown(secret: str, form: str) -> None:
    """Not in the message, nor in any exception behind it, nor in the settings themselves."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TOKEN", secret)
        assert "s3cret" not in f"{Settings.load()} {Settings.load()!r}"
        monkeypatch.setenv("MQTT_URL", form % secret)
        monkeypatch.setenv("RATE", "0")
        with pytest.raises(SettingsError) as caught:
            Settings.load()
        with pytest.raises(ValidationError) as unexplained:
            Settings(**NOTHING)

    assert "s3cret" not in f"{unexplained.value} {unexplained.value!r}"
    error: BaseException | None = caught.value
    assert "RATE = '0'" in str(error)
    while error is not None:
        assert "s3cret" not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("url", "user", "password"),
    [
        ("mqtt://poller@broker", "poller", "from the setting"),
        ("mqtt://poller:own@broker", "poller", "own"),
        ("mqtt://broker", None, None),
    ],
)
def test_mqtt_password_is_the_password_of_a_user_without_one(
    url: str, user: str | None, password: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the URL can be seen by everybody."""
    monkeypatch.setenv("MQTT_URL", url)
    monkeypatch.setenv("MQTT_PASSWORD", "from the setting")

    broker = Settings.load().broker

    assert (broker.user, broker.password) == (user, password)


def test_a_secret_can_be_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the line end at its end."""
    (tmp_path / "url").write_text("mqtt://u:s3crét@broker\n", encoding="utf-8")
    monkeypatch.setenv("MQTT_URL_FILE", str(tmp_path / "url"))

    assert Settings.load().broker == BrokerAddress("broker", 1883, user="u", password="s3crét")


def test_a_variable_takes_precedence_over_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Someone who sets the variable expects it to apply."""
    (tmp_path / "token").write_text("from the file")
    monkeypatch.setenv("TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("TOKEN", "typed")

    assert Settings.load().token.get_secret_value() == "typed"


def test_only_a_secret_can_be_read_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No other setting has a `_FILE` variable."""
    (tmp_path / "rate").write_text("7")
    monkeypatch.setenv("RATE_FILE", str(tmp_path / "rate"))

    assert Settings.load().rate == 1


def test_an_unreadable_file_is_an_error_that_names_file_and_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever keeps it from being read."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfes3cret")
    for path, why in (
        (tmp_path / "missing", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "bytes", "is not text"),
    ):
        monkeypatch.setenv("MQTT_URL_FILE", str(path))

        said = refusal()

        assert f"  MQTT_URL_FILE = {str(path)!r}: {why}" in said
        assert "s3cret" not in said


def test_an_invalid_secret_from_a_file_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is named by the variable it stands for."""
    (tmp_path / "url").write_text("http://s3cret@h")
    monkeypatch.setenv("MQTT_URL_FILE", str(tmp_path / "url"))

    said = refusal()

    assert "MQTT_URL (value not shown)" in said
    assert "s3cret" not in said


@pytest.mark.parametrize("form", ["%s\n", "%s\r\n", " %s ", '"%s"', "'%s'", '"%s"\n', "\ufeff%s"])
def test_what_is_around_a_value_is_removed(
    form: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of a variable, of a secret, of a secret's file and of the path of that file."""
    monkeypatch.setenv("MQTT_URL", form % "mqtt://u:s3cret@broker")
    monkeypatch.setenv("TOPIC_PREFIX", form % "home")
    monkeypatch.setenv("BOX_PORT", form % "81")
    monkeypatch.setenv("NAMES", form % "a,b")
    (tmp_path / "token").write_text(form % "opens", encoding="utf-8")
    monkeypatch.setenv("TOKEN_FILE", form % (tmp_path / "token"))

    settings = Settings.load()

    assert settings.broker == BrokerAddress("broker", 1883, user="u", password="s3cret")
    assert (settings.topic_prefix, settings.port, settings.names) == ("home", 81, ("a", "b"))
    assert settings.token.get_secret_value() == "opens"


@pytest.mark.parametrize("text", ["", "\n", ' "" '])
def test_an_empty_secret_file_is_an_error(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The default would be used otherwise, and nobody would know."""
    (tmp_path / "url").write_text(text)
    monkeypatch.setenv("MQTT_URL_FILE", str(tmp_path / "url"))

    assert f"  MQTT_URL_FILE = '{tmp_path}/url': is empty" in refusal()


def test_a_variable_that_kubernetes_sets_for_a_service_is_ignored_and_logged_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A Service named `box` sets BOX_PORT in every pod of its namespace."""
    monkeypatch.setenv("BOX_PORT", "tcp://10.96.0.10:8080")

    assert Settings.load().port == 8080
    with capture_logs() as logs:
        Settings.load().log_ignored()
    assert [(line["log_level"], line["variable"], line["value"]) for line in logs] == [
        ("warning", "BOX_PORT", "tcp://10.96.0.10:8080")
    ]
    assert "enableServiceLinks: false" in logs[0]["event"]


@pytest.mark.parametrize("hostname", ["Box.local", "a" * 80, "_", "", "ÄÖ", "box_1", "-x-"])
def test_the_default_instance_is_the_host_name_as_a_valid_topic_level(
    hostname: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the host is called."""
    monkeypatch.setattr(socket, "gethostname", lambda: hostname)

    assert is_instance_name(Settings.load().instance)


def test_settings_are_immutable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The values of the start apply."""
    settings = Settings.load()

    with pytest.raises(ValueError, match="frozen"):
        settings.topic_prefix = "other"
    monkeypatch.setitem(os.environ, "TOPIC_PREFIX", "other")
    assert settings.topic_prefix == "pillow"


def test_a_misspelled_setting_is_logged_with_the_one_meant_and_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MQTT_PASWORD", "hunter2")

    with capture_logs() as lines:
        Settings.log_ignored()

    assert lines == [
        {
            "event": "a variable that is no setting is ignored",
            "log_level": "warning",
            "variable": "MQTT_PASWORD",
            "meant": "MQTT_PASSWORD",
        }
    ]
