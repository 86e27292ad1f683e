"""A variable with a prefix of settings that is none is named, with the one that was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.unknown_settings import PREFIXES, unknown_settings

KNOWN = (
    "GATEWAY_ALLOWED_ORIGINS",
    "GATEWAY_HOST",
    "GATEWAY_PORT",
    "GATEWAY_OPS_PORT",
    "LOG_LEVEL",
    "MQTT_URL",
    "MQTT_URL_FILE",
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("GATEWAY_ALOWED_ORIGINS", "GATEWAY_ALLOWED_ORIGINS"),
        ("GATEWAY_ALLOWED_ORIGIN", "GATEWAY_ALLOWED_ORIGINS"),
        ("gateway_hots", "GATEWAY_HOST"),
        ("MQTT_URI", "MQTT_URL"),
        ("GATEWAY_LOG_LEVEL", "LOG_LEVEL"),
        ("GATEWAY_COLOUR_OF_THE_SKY", None),
    ],
)
def test_a_variable_that_is_no_setting_is_named_with_the_one_meant(
    name: str, meant: str | None
) -> None:
    assert unknown_settings({name: "x"}, KNOWN) == [(name, meant)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_SERVICE_HOST", "10.0.0.1"),
        ("GATEWAY_SERVICE_PORT", "8080"),
        ("GATEWAY_SERVICE_PORT_HTTP", "8080"),
        ("GATEWAY_PORT", "tcp://10.0.0.1:8080"),
        ("GATEWAY_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("GATEWAY_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("GATEWAY_OPS_SERVICE_HOST", "10.0.0.1"),
        ("GATEWAY_METRICS_PORT", "tcp://10.0.0.1:8082"),
        ("MQTT_PORT", "tcp://10.0.0.2:1883"),
        ("MQTT_PORT_1883_TCP_PROTO", "tcp"),
        ("MQTT_NAME", "/web/mqtt"),
        ("MQTT_ENV_PATH", "/bin"),
        ("GATEWAY_PUBLISHED_PORT", "9090"),
        ("AZURE_STORAGE_KEY", "x"),
        ("POLLER_PORT", "8081"),
        ("HOME", "/root"),
        ("gateway_host", "::1"),
    ],
)
def test_what_kubernetes_docker_and_others_set_is_no_setting_of_ours(name: str, value: str) -> None:
    assert unknown_settings({name: value}, KNOWN) == []


@given(st.dictionaries(st.text(), st.text()), st.frozensets(st.sampled_from(KNOWN), min_size=1))
def test_only_variables_with_the_prefix_of_a_known_setting_are_named(
    variables: dict[str, str], known: frozenset[str]
) -> None:
    named = unknown_settings(variables, known)

    assert {name for name, _ in named} <= variables.keys()
    for name, meant in named:
        assert name.upper().startswith(PREFIXES)
        assert meant is None or meant in known
