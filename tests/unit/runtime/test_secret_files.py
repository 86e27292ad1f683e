"""Which settings can be read from a file, and which files are refused."""

from pathlib import Path

import pytest

from runtime import secret_files
from runtime.secret_files import is_secret, read_error, secret_path, secret_values
from runtime.settings import CommonSettings, SettingsError

FIELDS = CommonSettings.model_fields


def test_urls_and_passwords_are_secrets_and_nothing_else_is() -> None:
    """Their values are never shown."""
    assert {name for name, field in FIELDS.items() if is_secret(field)} == {
        "mqtt_url",
        "mqtt_password",
    }


def test_the_values_of_all_secrets_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are set, or have a default."""
    monkeypatch.setenv("MQTT_URL", "mqtt://host")
    monkeypatch.setenv("MQTT_PASSWORD", "sesame")

    assert secret_values(CommonSettings.load()) == ["mqtt://host", "sesame"]


def test_only_a_secret_has_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """TOPIC_PREFIX_FILE means nothing."""
    monkeypatch.setenv("MQTT_PASSWORD_FILE", " '/run/password' ")
    monkeypatch.setenv("TOPIC_PREFIX_FILE", "/run/prefix")

    assert secret_path("MQTT_PASSWORD", FIELDS["mqtt_password"]) == "/run/password"
    assert secret_path("TOPIC_PREFIX", FIELDS["topic_prefix"]) is None


def test_a_mounted_file_that_is_named_after_a_secret_is_its_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It takes precedence over the variable, which may be a default of compose."""
    monkeypatch.setattr(secret_files, "MOUNTED", tmp_path)
    monkeypatch.setenv("MQTT_URL", "mqtt://user@localhost")
    monkeypatch.setenv("MQTT_PASSWORD", "of the variable")
    monkeypatch.setenv("TOPIC_PREFIX", "pillow")
    (tmp_path / "MQTT_PASSWORD").write_text("of the file\n")
    (tmp_path / "TOPIC_PREFIX").write_text("no secret")

    settings = CommonSettings.load()

    assert settings.broker.password == "of the file"
    assert settings.topic_prefix == "pillow"


def test_a_mounted_file_that_cannot_be_used_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An empty one, or one that this user may not read, is not as if there were none."""
    monkeypatch.setattr(secret_files, "MOUNTED", tmp_path)
    (tmp_path / "MQTT_PASSWORD").write_text("\n")

    with pytest.raises(SettingsError, match=r"MQTT_PASSWORD'?: is empty"):
        CommonSettings.load()


def test_a_file_that_cannot_be_used_has_a_reason(tmp_path: Path) -> None:
    """Missing, empty, and no text; a line end does not matter."""
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff")
    (tmp_path / "good").write_text("s3cret\n")

    assert read_error(str(tmp_path / "missing")) == "No such file or directory"
    assert read_error(str(tmp_path / "empty")) == "is empty"
    assert read_error(str(tmp_path / "binary")) == "is not text"
    assert read_error(str(tmp_path / "good")) is None
