"""Settings: the documented defaults, what overrides them, and errors that name the variable."""

import sys
from pathlib import Path

import pytest
from azure.storage.queue import QueueClient
from pydantic import SecretStr

from runtime.settings import SettingsError
from simulator.commands.options import plan_from_settings
from simulator.settings import SimulatorSettings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in SimulatorSettings.model_fields.values():
        monkeypatch.delenv(field.alias or "", raising=False)


def test_the_defaults_are_three_pillows_at_one_report_a_second_to_the_local_queue() -> None:
    """The scenario day, and Azurite's queue on this machine."""
    settings = SimulatorSettings.load()
    plan, target = plan_from_settings(settings)

    assert (target, plan.pillow_count, plan.groups[0][0].every_s) == ("queue", 3, 1.0)
    assert (settings.scenario, settings.queue) == ("day", "pillow-state")
    assert settings.poison_queue == "pillow-state-poison"
    assert settings.endpoint is None
    client = QueueClient.from_connection_string(
        settings.connection_string.get_secret_value(), settings.queue
    )
    assert client.url == "http://127.0.0.1:10001/devstoreaccount1/pillow-state"


def test_the_seed_is_random_where_none_is_given() -> None:
    """Two simulators with the same settings send different states."""
    assert len({plan_from_settings(SimulatorSettings.load())[0].seed for _ in range(5)}) > 1


def test_a_setting_overrides_the_scenarios_seed_and_target(tmp_path: Path) -> None:
    """Without a setting the scenario's own are used."""
    mine = tmp_path / "mine.toml"
    mine.write_text('about = "x"\nseed = 9\ntarget = "mqtt"\n[[pillows]]\n')
    plan, target = plan_from_settings(SimulatorSettings.load(SIMULATOR_SCENARIO=str(mine)))
    changed_plan, changed_target = plan_from_settings(
        SimulatorSettings.load(
            SIMULATOR_SCENARIO=str(mine), SIMULATOR_SEED=7, SIMULATOR_TARGET="stdout"
        )
    )

    assert (plan.seed, target) == (9, "mqtt")
    assert (changed_plan.seed, changed_target) == (7, "stdout")


@pytest.mark.parametrize(
    ("url", "user"),
    [
        ("mqtt://localhost:1883", "simulator"),
        ("mqtt://127.0.0.1:1883", "simulator"),
        ("mqtt://me:mine@localhost", "me"),
        ("mqtt://broker.example", None),
    ],
)
def test_the_development_user_is_used_on_loopback_without_another_user(
    url: str, user: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the password of this repository's broker, which is sent to no other machine."""
    file = tmp_path / ".devstack" / "credentials" / "simulator" / "password"
    file.parent.mkdir(parents=True)
    file.write_text("made")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))

    broker = SimulatorSettings.load(MQTT_URL=url).broker

    assert (broker.user, broker.password == "made") == (user, user == "simulator")


def test_without_a_password_that_was_made_the_simulator_is_anonymous(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No password works everywhere."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))

    assert SimulatorSettings.load(MQTT_URL="mqtt://localhost").broker.user is None


def test_an_option_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option that is not given (None) does not."""
    monkeypatch.setenv("SIMULATOR_PILLOWS", "4")
    monkeypatch.setenv("SIMULATOR_SEED", "7")

    settings = SimulatorSettings.load(SIMULATOR_PILLOWS=5, SIMULATOR_SEED=None)

    assert (settings.pillows, settings.seed) == (5, 7)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SIMULATOR_TARGET", "kafka"),
        ("SIMULATOR_PILLOWS", "0"),
        ("SIMULATOR_PILLOWS", "many"),
        ("SIMULATOR_SEED", "-1"),
        ("SIMULATOR_RATE", "0"),
        ("SIMULATOR_RATE", "inf"),
        ("SIMULATOR_RATE", "nan"),
        ("SIMULATOR_SCENARIO", "war"),
        ("QUEUE_NAME", "Pillow_State"),
        ("QUEUE_NAME", "a--b"),
        ("AZURE_STORAGE_QUEUE_ENDPOINT", "http://account.queue.core.windows.net"),
    ],
)
def test_an_invalid_value_is_refused_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """And with the value."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=f"{variable} = '{value}'"):
        SimulatorSettings.load()


def test_an_unknown_scenario_is_refused_with_the_known_names() -> None:
    """Where none of them is similar."""
    with pytest.raises(SettingsError, match=r"there are .*calm, day, "):
        SimulatorSettings.load(SIMULATOR_SCENARIO="xyzzy")


def test_the_connection_string_is_not_in_the_representation() -> None:
    """It contains the account's key."""
    settings = SimulatorSettings.load(
        AZURE_STORAGE_CONNECTION_STRING=SecretStr("AccountName=a;AccountKey=hunter2=")
    )

    assert "hunter2" not in repr(settings)
