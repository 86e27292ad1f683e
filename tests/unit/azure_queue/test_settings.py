"""The queue settings: their defaults, and the messages for wrong values."""

import pytest
from structlog.testing import capture_logs

from azure_queue import development_account
from azure_queue.settings import QueueSettings
from runtime.settings import SettingsError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in QueueSettings.model_fields.values():
        monkeypatch.delenv(field.alias or "", raising=False)


def test_the_defaults_are_azurite_on_this_machine() -> None:
    """So that a developer sets nothing."""
    settings = QueueSettings.load()

    assert settings.connection_string.get_secret_value() == development_account.connection_string()
    assert settings.endpoint is None
    assert (settings.queue, settings.poison_queue) == ("pillow-state", "pillow-state-poison")


def test_the_poison_queue_is_named_after_the_queue_unless_it_is_set() -> None:
    """An empty value counts as unset."""
    assert QueueSettings.load(QUEUE_NAME="garden").poison_queue == "garden-poison"
    assert QueueSettings.load(QUEUE_NAME="garden", POISON_QUEUE_NAME="").poison_queue == (
        "garden-poison"
    )
    assert QueueSettings.load(POISON_QUEUE_NAME="attic").poison_queue == "attic"


def test_one_name_for_both_queues_is_refused() -> None:
    """A dead letter would be received again for ever."""
    with pytest.raises(SettingsError, match="POISON_QUEUE_NAME = 'attic' is QUEUE_NAME"):
        QueueSettings.load(QUEUE_NAME="attic", POISON_QUEUE_NAME="attic")


def test_an_endpoint_without_tls_is_refused() -> None:
    """A token must not be sent unencrypted."""
    with pytest.raises(SettingsError) as caught:
        QueueSettings.load(AZURE_STORAGE_QUEUE_ENDPOINT="http://127.0.0.1:1/x")

    assert "AZURE_STORAGE_QUEUE_ENDPOINT = 'http://127.0.0.1:1/x': is no https://" in str(
        caught.value
    )


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "https://",
        "https://:443",
        "https://account:99999",
        "https://account:x",
        "https://[::1",
    ],
)
def test_an_endpoint_that_is_no_address_is_refused_with_its_value(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        QueueSettings.load(AZURE_STORAGE_QUEUE_ENDPOINT=url)

    assert f"AZURE_STORAGE_QUEUE_ENDPOINT = {url!r}: is no " in str(caught.value)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://a.queue.core.windows.net/?sv=2025-05-05&sig=sesame",
        "https://user:sesame@a.queue.core.windows.net",
        "https://a.queue.core.windows.net/#sig=sesame",
    ],
)
def test_an_endpoint_with_a_secret_in_it_is_refused_without_it(endpoint: str) -> None:
    """The portal shows an address with a signature, which belongs to the connection string."""
    with pytest.raises(SettingsError, match="AZURE_STORAGE_CONNECTION_STRING") as caught:
        QueueSettings.load(AZURE_STORAGE_QUEUE_ENDPOINT=endpoint)

    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("name", ["ab", "a" * 64, "Pillow", "a--b", "-abc", "abc-", "a_b", "ab\nc"])
def test_an_invalid_queue_name_is_refused_with_its_value_and_the_rule(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The message says which characters and lengths are allowed."""
    monkeypatch.setenv("QUEUE_NAME", name)

    with pytest.raises(SettingsError) as caught:
        QueueSettings.load()
    assert f"QUEUE_NAME = {name!r}: is no queue name: 3 to 63 of" in str(caught.value)


def test_proxy_variables_that_are_set_are_said_not_to_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By name: their values may hold a password."""
    for name in ("HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.example:3128")

    with capture_logs() as logs:
        QueueSettings.load().log_ignored()

    assert [line["variables"] for line in logs] == [["HTTPS_PROXY"]]
    assert "secret" not in str(logs)
