"""Which traces are recorded, and where they go, by the usual variables."""

import os
from pathlib import Path

import pytest

from runtime.settings import SettingsError
from runtime.tracing.settings import AZURE, TracingSettings

CONNECTION = "InstrumentationKey=00000000-0000-0000-0000-000000000000"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("OTEL_", "APPLICATIONINSIGHTS_")):
            monkeypatch.delenv(name)


def load(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> TracingSettings:
    """Return the settings with these variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return TracingSettings.load()


@pytest.mark.parametrize(
    ("variables", "exporters", "unsettled"),
    [
        ({}, (), False),
        ({ENDPOINT: "http://c:4318"}, ("otlp",), False),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/v1/traces"}, ("otlp",), False),
        ({"OTEL_TRACES_EXPORTER": "otlp, console"}, ("otlp", "console"), False),
        ({"APPLICATIONINSIGHTS_CONNECTION_STRING": CONNECTION}, (AZURE,), False),
        (
            {ENDPOINT: "http://c", "APPLICATIONINSIGHTS_CONNECTION_STRING": CONNECTION},
            ("otlp", AZURE),
            False,
        ),
        ({ENDPOINT: "http://c:4318", "OTEL_SDK_DISABLED": "true"}, (), False),
        ({ENDPOINT: "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, (), False),
        ({"OTEL_SERVICE_NAME": "clouds"}, (), True),
        ({"OTEL_TRACES_SAMPLER": "always_on"}, (), True),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_SERVICE_NAME": "clouds"}, (), False),
    ],
)
def test_exporters_are_those_that_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    exporters: tuple[str, ...],
    unsettled: bool,
) -> None:
    """Without one there are no traces; something else alone is worth a line."""
    settings = load(monkeypatch, variables)

    assert settings.exporters == exporters
    assert settings.is_unsettled == unsettled


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (ENDPOINT, "collector:4318"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "10%"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("OTEL_SDK_DISABLED", "perhaps"),
        ("APPLICATIONINSIGHTS_CONNECTION_STRING", "hush-hush"),
    ],
)
def test_a_wrong_value_is_named_and_a_secret_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The SDK would only warn, and do something else."""
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, {name: value})

    assert name in str(caught.value)
    assert "hush" not in str(caught.value)


def test_the_sdk_gets_what_is_set_as_it_reads_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also what a file holds, and without what is around a value."""
    path = tmp_path / "headers"
    path.write_text("x-key=abc\n", encoding="utf-8")
    settings = load(
        monkeypatch,
        {
            ENDPOINT: ' "http://c:4318" ',
            "OTEL_TRACES_EXPORTER": "otlp,console",
            "OTEL_TRACES_SAMPLER": "traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.5",
            "OTEL_SDK_DISABLED": "False",
            "OTEL_EXPORTER_OTLP_HEADERS_FILE": str(path),
        },
    )

    assert settings.variables() == {
        ENDPOINT: "http://c:4318",
        "OTEL_TRACES_EXPORTER": "otlp,console",
        "OTEL_TRACES_SAMPLER": "traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0.5",
        "OTEL_SDK_DISABLED": "false",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-key=abc",
    }
