"""Which broker is used, and how it is told what to do."""

import tomllib
from pathlib import Path

import pytest

from devstack import broker
from devstack.errors import CannotStart


def test_a_machine_without_mosquitto_gets_the_embedded_broker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(broker, "SEARCH", str(tmp_path))

    assert broker.choose("auto") == "embedded"


def test_mosquitto_is_preferred(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("mosquitto", "mosquitto_passwd"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(broker, "SEARCH", str(tmp_path))

    assert broker.choose("auto") == "mosquitto"
    assert broker.choose("embedded") == "embedded"


def test_asking_for_a_mosquitto_that_is_not_there_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(broker, "SEARCH", str(tmp_path))

    with pytest.raises(CannotStart, match="apt-get install mosquitto"):
        broker.choose("mosquitto")


def test_the_embedded_brokers_configuration_is_toml_with_one_listener() -> None:
    config = tomllib.loads(broker.EMBEDDED_CONFIG.format(host="127.0.0.1", port=1884))

    assert config["v4"]["1"]["listen"] == "127.0.0.1:1884"
    assert "v5" not in config
