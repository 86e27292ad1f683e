"""The gateway's settings, and the errors for wrong values."""

import os

import pytest

from gateway.settings import GatewaySettings
from runtime.settings import SettingsError


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("GATEWAY_", "MQTT_", "TOPIC_", "INSTANCE", "LOG_")):
            monkeypatch.delenv(name)


def test_the_defaults_are_those_of_the_documentation() -> None:
    """The gateway starts with no variable set."""
    settings = GatewaySettings.load()

    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8080, 1)
    assert settings.allowed_origins == ()
    assert settings.expire_after == 30
    assert settings.history_bytes == 64 * 1024 * 1024
    assert settings.auth == "none"
    assert settings.topic_prefix == "pillow"
    assert str(settings.broker) == "mqtt://localhost:1883"


def test_origins_are_separated_by_commas_with_or_without_spaces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Empty entries are dropped."""
    monkeypatch.setenv("GATEWAY_ALLOWED_ORIGINS", "https://a.example, http://b.example:81,*,")

    assert GatewaySettings.load().allowed_origins == (
        "https://a.example",
        "http://b.example:81",
        "*",
    )


def test_hosts_are_separated_by_commas_and_normalised(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host of the public URL need not be repeated."""
    monkeypatch.setenv("GATEWAY_ALLOWED_HOSTS", "Clouds.example:443, *.example.org,")
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "https://BÜCHER.example:8443/wall")

    settings = GatewaySettings.load()

    assert settings.allowed_hosts == ("clouds.example", ".example.org")
    assert settings.public_host == "xn--bcher-kva.example"
    monkeypatch.delenv("GATEWAY_PUBLIC_URL")
    assert GatewaySettings.load().public_host is None


@pytest.mark.parametrize(
    ("value", "ancestors"),
    [
        ("", ()),
        ("none", ()),
        ("'self'", ("self",)),
        ("self, https://A.example/", ("self", "https://a.example")),
        ("https://*.a.example:444", ("https://*.a.example:444",)),
        ("*", ("*",)),
    ],
)
def test_frame_ancestors_are_sites_self_or_all(
    monkeypatch: pytest.MonkeyPatch, value: str, ancestors: tuple[str, ...]
) -> None:
    """By default nobody may show the page in a frame."""
    monkeypatch.setenv("GATEWAY_FRAME_ANCESTORS", value)

    assert GatewaySettings.load().frame_ancestors == ancestors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_ALLOWED_HOSTS", "https://clouds.example"),
        ("GATEWAY_OPS_PORT", "65536"),
        ("GATEWAY_PORT", "65536"),
        ("GATEWAY_FRAME_ANCESTORS", "example.org"),
        ("GATEWAY_FRAME_ANCESTORS", "self, none"),
        ("GATEWAY_FRAME_ANCESTORS", "https://a;sandbox"),
        ("GATEWAY_FRAME_ANCESTORS", "https://a.example/page"),
        ("GATEWAY_FRAME_ANCESTORS", "https://*.*.example"),
        ("GATEWAY_PORT", "http"),
        ("GATEWAY_WORKERS", "2"),
        ("GATEWAY_EXPIRE_AFTER", "0"),
        ("GATEWAY_EXPIRE_AFTER", "nan"),
        ("GATEWAY_EXPIRE_AFTER", "inf"),
        ("GATEWAY_EXPIRE_AFTER", "-1"),
        ("GATEWAY_HISTORY_BYTES", "-1"),
        ("GATEWAY_AUTH", "jwt"),
        ("GATEWAY_JWT_ALGORITHMS", "none"),
        ("GATEWAY_JWT_ALGORITHMS", "HS256"),
        ("GATEWAY_JWT_JWKS_URL", "http://login.example/keys"),
        ("GATEWAY_JWT_JWKS_URL", "login.example"),
        ("GATEWAY_JWT_LEEWAY", "-1"),
        ("GATEWAY_PUBLIC_URL", "clouds.example"),
        ("GATEWAY_PUBLIC_URL", "https://clouds.example/?a=1"),
        ("GATEWAY_ALLOWED_ORIGINS", "a.example"),
        ("GATEWAY_ALLOWED_ORIGINS", "https://*.a.example"),
        ("GATEWAY_ALLOWED_ORIGINS", "wss://a.example"),
        ("GATEWAY_ALLOWED_ORIGINS", "https://a.example/path"),
        ("GATEWAY_TRUSTED_PROXIES", "proxy.internal"),
        ("GATEWAY_TRUSTED_PROXIES", "10.0.0.0/33"),
    ],
)
def test_the_error_for_a_wrong_value_names_the_variable_and_the_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The operator sees what to change."""
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as refused:
        GatewaySettings.load()

    assert name in str(refused.value)
    assert value in str(refused.value)


def test_a_url_of_keys_with_a_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library would not send it, and its errors would quote it."""
    monkeypatch.setenv("GATEWAY_JWT_JWKS_URL", "https://user:sesame@login.example/keys")

    with pytest.raises(SettingsError, match="has a user or a password") as refused:
        GatewaySettings.load()

    assert "sesame" not in str(refused.value)


def test_one_error_names_all_wrong_variables_but_no_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A broker's address may contain one."""
    monkeypatch.setenv("GATEWAY_PORT", "-1")
    monkeypatch.setenv("GATEWAY_HISTORY_BYTES", "much")
    monkeypatch.setenv("MQTT_URL", "http://u:sesame@h")

    with pytest.raises(SettingsError) as refused:
        GatewaySettings.load()

    for name in ("GATEWAY_PORT", "GATEWAY_HISTORY_BYTES", "MQTT_URL"):
        assert name in str(refused.value)
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize("name", ["GATEWAY_JWT_SECRET", "GATEWAY_SHARE_KEY"])
def test_a_secret_that_is_too_short_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """HS256 needs as many bytes as its hash has."""
    monkeypatch.setenv(name, "sesame")

    with pytest.raises(SettingsError) as refused:
        GatewaySettings.load()

    assert name in str(refused.value)
    assert "32" in str(refused.value)
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize(
    ("variables", "algorithms"),
    [
        ({"GATEWAY_JWT_SECRET": "s" * 32}, ("HS256",)),
        ({"GATEWAY_JWT_JWKS_URL": "https://login.example/keys"}, ("RS256", "ES256")),
        ({"GATEWAY_SHARE_KEY": "s" * 32}, ()),
        (
            {"GATEWAY_JWT_JWKS_URL": "http://localhost/k", "GATEWAY_JWT_ALGORITHMS": "ES256"},
            ("ES256",),
        ),
    ],
)
def test_the_algorithms_of_tokens_follow_from_the_keys(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], algorithms: tuple[str, ...]
) -> None:
    """Unless they are set."""
    monkeypatch.setenv("GATEWAY_AUTH", "jwt")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert GatewaySettings.load().token_rules.algorithms == algorithms


def test_the_address_of_the_page_is_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that links can be built from it."""
    assert GatewaySettings.load().page_url == "http://localhost:8080/"
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "https://clouds.example/wall")
    assert GatewaySettings.load().page_url == "https://clouds.example/wall/"
