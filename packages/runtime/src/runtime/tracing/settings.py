"""The settings of traces: the usual variables of OpenTelemetry, and one for Azure Monitor.

The SDK reads the variables itself, also those that are not named here.
"""

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from runtime.settings import CommonSettings, Names

AZURE: Final = "azure_monitor_opentelemetry_exporter"
"""The name under which the exporter for Azure Monitor is installed."""

_NO_EXPORTER: Final = "none"


def _checked_endpoint(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("is no URL like http://collector:4318")
    return url


def _checked_connection_string(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and "instrumentationkey=" not in secret.get_secret_value().lower():
        raise ValueError("has no InstrumentationKey; copy it from the resource's overview")
    return secret


Endpoint = Annotated[str, AfterValidator(_checked_endpoint)]


class TracingSettings(CommonSettings):
    """Where spans go, and of which messages there are any."""

    otel_disabled: bool = Field(
        False,
        alias="OTEL_SDK_DISABLED",
        description="true records no traces, whatever else is set.",
    )
    otel_service_name: str = Field(
        "",
        alias="OTEL_SERVICE_NAME",
        description="The name of the service in traces; poller or gateway unless set.",
    )
    otel_resource_attributes: str = Field(
        "",
        alias="OTEL_RESOURCE_ATTRIBUTES",
        description="More about the service in traces: deployment.environment.name=home,KEY=VALUE.",
    )
    otel_exporters: Names = Field(
        (),
        alias="OTEL_TRACES_EXPORTER",
        description="Where spans go, separated by commas: otlp, console or none; otlp where an "
        "endpoint is set. Needs the extra otel.",
    )
    otel_endpoint: Endpoint = Field(
        "",
        alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="The collector of spans: http://HOST:4318. Unless it or an exporter is set, "
        "no traces are recorded.",
    )
    otel_traces_endpoint: Endpoint = Field(
        "",
        alias="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        description="The same with its whole path: http://HOST:4318/v1/traces.",
    )
    otel_protocol: Literal["http/protobuf", "grpc"] | None = Field(
        None,
        alias="OTEL_EXPORTER_OTLP_PROTOCOL",
        description="http/protobuf unless set; grpc needs opentelemetry-exporter-otlp-proto-grpc.",
    )
    otel_headers: SecretStr | None = Field(
        None,
        alias="OTEL_EXPORTER_OTLP_HEADERS",
        description="Headers for the collector, with a key perhaps: NAME=VALUE,NAME=VALUE.",
    )
    otel_sampler: (
        Literal[
            "always_on", "always_off", "traceidratio",
            "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio",
        ]
        | None
    ) = Field(
        None,
        alias="OTEL_TRACES_SAMPLER",
        description="Which messages are traced: parentbased_always_on unless set, that is all but "
        "those whose traceparent says no; parentbased_traceidratio for a share.",
    )  # fmt: skip
    otel_sampler_arg: float | None = Field(
        None,
        alias="OTEL_TRACES_SAMPLER_ARG",
        ge=0,
        le=1,
        description="The share of messages that are traced, 0 to 1, where the sampler takes one.",
    )
    azure_monitor: Annotated[SecretStr | None, AfterValidator(_checked_connection_string)] = Field(
        None,
        alias="APPLICATIONINSIGHTS_CONNECTION_STRING",
        description="Application Insights, where spans go to Azure Monitor. Needs the extra "
        "azure-monitor.",
    )

    @property
    def exporters(self) -> tuple[str, ...]:
        """The exporters that are asked for; none where traces are off."""
        if self.otel_disabled or _NO_EXPORTER in self.otel_exporters:
            return ()
        has_endpoint = self.otel_endpoint or self.otel_traces_endpoint
        names = self.otel_exporters or (("otlp",) if has_endpoint else ())
        return (*names, AZURE) if self.azure_monitor is not None else names

    @property
    def is_unsettled(self) -> bool:
        """Whether something about traces is set, but not where they go."""
        names = set(TracingSettings.model_fields) - set(CommonSettings.model_fields)
        is_off = self.otel_disabled or _NO_EXPORTER in self.otel_exporters
        return not is_off and not self.exporters and bool(names & self.model_fields_set)

    def variables(self) -> dict[str, str]:
        """Return the variables that are set, as the SDK reads them, with those of files."""
        found = {}
        for name, field in TracingSettings.model_fields.items():
            value = getattr(self, name)
            if name in CommonSettings.model_fields or name not in self.model_fields_set:
                continue
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            found[field.alias or name] = text.lower() if isinstance(value, bool) else text
        return found
