"""Which broker is used, and its configuration."""

import tomllib
from pathlib import Path

import pytest

from devstack import broker
from devstack.errors import CannotStart


def test_without_mosquitto_the_embedded_broker_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(broker, "SEARCH", str(tmp_path))

    assert broker.choose("auto") == "embedded"


def test_auto_uses_mosquitto_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("mosquitto", "mosquitto_passwd"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(broker, "SEARCH", str(tmp_path))

    assert broker.choose("auto") == "mosquitto"
    assert broker.choose("embedded") == "embedded"


def test_a_missing_mosquitto_is_refused_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(broker, "SEARCH", str(tmp_path))

    with pytest.raises(CannotStart, match="apt-get install mosquitto"):
        broker.choose("mosquitto")


def test_the_embedded_brokers_configuration_has_one_mqtt_3_1_1_listener() -> None:
    config = tomllib.loads(broker.EMBEDDED_CONFIG.format(host="127.0.0.1", port=1884))

    assert config["v4"]["1"]["listen"] == "127.0.0.1:1884"
    assert "v5" not in config
