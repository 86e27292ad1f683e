"""Settings: the defaults of the design, and a sentence for what is wrong."""

from pathlib import Path

import pytest
from azure.storage.queue import QueueClient
from pydantic import SecretStr

from runtime.settings import SettingsError
from simulator.commands.options import planned
from simulator.settings import SimulatorSettings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in SimulatorSettings.model_fields.values():
        monkeypatch.delenv(field.alias or "", raising=False)


def test_the_defaults_are_those_of_the_design() -> None:
    """Three pillows, a state a second each, a day, to Azurite's queue on this machine."""
    settings = SimulatorSettings.load()
    plan, target = planned(settings)

    assert (target, plan.pillows, plan.groups[0][0].every_s) == ("queue", 3, 1.0)
    assert (settings.scenario, settings.queue) == ("day", "pillow-state")
    assert settings.poison_queue == "pillow-state-poison"
    assert settings.endpoint is None
    client = QueueClient.from_connection_string(
        settings.connection_string.get_secret_value(), settings.queue
    )
    assert client.url == "http://127.0.0.1:10001/devstoreaccount1/pillow-state"


def test_a_seed_is_drawn_where_none_is_given() -> None:
    """Two simulators started side by side are not twins."""
    assert len({planned(SimulatorSettings.load())[0].seed for _ in range(5)}) > 1


def test_a_setting_wins_over_what_a_scenario_says_itself(tmp_path: Path) -> None:
    """Seed and target; and without a setting the scenario's own count."""
    mine = tmp_path / "mine.toml"
    mine.write_text('about = "x"\nseed = 9\ntarget = "mqtt"\n[[pillows]]\n')
    own, where = planned(SimulatorSettings.load(SIMULATOR_SCENARIO=str(mine)))
    told, there = planned(
        SimulatorSettings.load(
            SIMULATOR_SCENARIO=str(mine), SIMULATOR_SEED=7, SIMULATOR_TARGET="stdout"
        )
    )

    assert (own.seed, where) == (9, "mqtt")
    assert (told.seed, there) == (7, "stdout")


@pytest.mark.parametrize(
    ("url", "user"),
    [
        ("mqtt://localhost:1883", "simulator"),
        ("mqtt://127.0.0.1:1883", "simulator"),
        ("mqtt://me:mine@localhost", "me"),
        ("mqtt://broker.example", None),
    ],
)
def test_on_this_machine_it_is_the_development_user(url: str, user: str | None) -> None:
    """So that a command needs no password where everybody knows it, and sends none elsewhere."""
    assert SimulatorSettings.load(MQTT_URL=url).broker.user == user


def test_an_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that is not given leaves it alone."""
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
def test_a_wrong_value_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """Whoever reads it knows what to change."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=f"{variable} = '{value}'"):
        SimulatorSettings.load()


def test_an_unknown_scenario_is_told_which_there_are() -> None:
    """The names are in the sentence."""
    with pytest.raises(SettingsError, match=r"there are .*calm, day, "):
        SimulatorSettings.load(SIMULATOR_SCENARIO="xyzzy")


def test_the_connection_string_is_a_secret() -> None:
    """It shows in no representation."""
    settings = SimulatorSettings.load(
        AZURE_STORAGE_CONNECTION_STRING=SecretStr("AccountKey=hunter2")
    )

    assert "hunter2" not in repr(settings)
