"""What the poller and the simulator are told of the queue."""

import pytest

from runtime.queue_settings import DEVELOPMENT_ACCOUNT, StorageSettings
from runtime.settings import SettingsError


def test_the_defaults_are_the_development_account_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has to be set on a developer's machine."""
    for name in ("AZURE_STORAGE_CONNECTION_STRING", "QUEUE_NAME"):
        monkeypatch.delenv(name, raising=False)
    settings = StorageSettings.load()

    assert settings.connection_string.get_secret_value() == DEVELOPMENT_ACCOUNT
    assert settings.queue == "pillow-state"


@pytest.mark.parametrize("name", ["ab", "a" * 64, "Pillow", "a--b", "-abc", "abc-", "a_b", "abc\n"])
def test_what_is_no_queue_s_name_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With its value, and what one may consist of."""
    monkeypatch.setenv("QUEUE_NAME", name)

    with pytest.raises(SettingsError) as wrong:
        StorageSettings.load()
    assert f"QUEUE_NAME = {name!r}: is no queue name: 3 to 63 of" in str(wrong.value)
