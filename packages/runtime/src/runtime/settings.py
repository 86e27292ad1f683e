"""Settings from the environment; an error names every invalid variable at once.

A service declares a subclass of `CommonSettings`; each field's alias is its variable's name.
A secret is a field of type `SecretStr`; `<NAME>_FILE` can name a file that contains it.
Quotes and blanks around a value are removed, wherever it comes from.
"""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Literal, Self

import structlog
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from contract.topics import is_instance_name, is_topic_prefix
from runtime import secret_files
from runtime.broker_url import BrokerAddress, has_control_character, parse_broker_url
from runtime.log_levels import parse_log_levels
from runtime.redaction import redact
from runtime.secret_files import SecretFiles, is_secret, mounted_path, secret_path
from runtime.tls import TlsFiles, TlsFilesUnusable, tls_context
from runtime.unknown_settings import unknown_settings
from runtime.variables import cleaned, is_service_link

log = structlog.get_logger()

_PROXY_VARIABLES: Final = (
    "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"
)  # fmt: skip

LogFormat = Literal["console", "json"]


class SettingsError(Exception):
    """Settings are invalid; the message names every invalid variable and its value."""


def _hostname() -> str:
    """Return the host name as an instance name: lower case, other characters as hyphens."""
    name = re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().lower()).strip("-")
    return name[:63] or "localhost"


def _checked_broker_url(url: SecretStr) -> SecretStr:
    parse_broker_url(url.get_secret_value())
    return url


def _checked_file(path: str | None) -> str | None:
    if path is not None and not os.access(path, os.R_OK):
        raise ValueError("is not a file that can be read")
    return path


TlsFile = Annotated[str | None, AfterValidator(_checked_file)]


def _checked_password(password: SecretStr | None) -> SecretStr | None:
    if password is not None and has_control_character(password.get_secret_value()):
        raise ValueError("contains a line break or a control character; write it on one line")
    return password


def _checked_prefix(prefix: str) -> str:
    if not is_topic_prefix(prefix):
        raise ValueError("is no topic prefix: levels like pillow or home/pillow, no + # or $")
    return prefix


def _checked_instance(name: str) -> str:
    if not is_instance_name(name):
        raise ValueError("is no instance name: a-z, 0-9 and hyphens, at most 63")
    return name


def _checked_log_level(text: str) -> str:
    return str(parse_log_levels(text))


def _split(value: object) -> object:
    return tuple(filter(None, map(cleaned, value.split(",")))) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A setting with several values, separated by commas."""


class _Environment(PydanticBaseSettingsSource):
    """Reads each variable without what is around its value, and not those that Kubernetes set."""

    def __init__(
        self, settings_cls: type[BaseSettings], variables: PydanticBaseSettingsSource
    ) -> None:
        super().__init__(settings_cls)
        self._variables = variables

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._variables.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        values = {name: cleaned(value) for name, value in self._variables().items()}
        return {
            name: value
            for name, value in values.items()
            if value and not is_service_link(name, value)
        }


class CommonSettings(BaseSettings):
    """The settings that every service has."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    mqtt_url: Annotated[SecretStr, AfterValidator(_checked_broker_url)] = Field(
        SecretStr("mqtt://localhost:1883"),
        alias="MQTT_URL",
        description="The MQTT broker: mqtt:// or mqtts://, user and password in it.",
    )
    mqtt_password: Annotated[SecretStr | None, AfterValidator(_checked_password)] = Field(
        None,
        alias="MQTT_PASSWORD",
        description="The password of the user in MQTT_URL, where the URL has none.",
    )
    mqtt_tls_ca: TlsFile = Field(
        None,
        alias="MQTT_TLS_CA",
        description="For mqtts://: the file with the certificates of the authorities that are "
        "trusted; the system's unless set. A changed file is read at the next connection.",
    )
    mqtt_tls_cert: TlsFile = Field(
        None,
        alias="MQTT_TLS_CERT",
        description="For mqtts://: the file with this client's certificate, where the broker asks "
        "for one.",
    )
    mqtt_tls_key: TlsFile = Field(
        None,
        alias="MQTT_TLS_KEY",
        description="The file with the key of MQTT_TLS_CERT; that file itself unless set.",
    )
    mqtt_protocol: Literal["5", "3.1.1"] = Field(
        "5", alias="MQTT_PROTOCOL", description="The MQTT version spoken: 5 or 3.1.1."
    )
    topic_prefix: Annotated[str, AfterValidator(_checked_prefix)] = Field(
        "pillow",
        alias="TOPIC_PREFIX",
        description="The first level of every topic; deployments with different prefixes can "
        "share a broker.",
    )
    instance: Annotated[str, AfterValidator(_checked_instance)] = Field(
        default_factory=_hostname,
        alias="INSTANCE",
        description="The name of this process in topics; the host's name unless set. "
        "Give each its own where several of a service run on one host.",
    )
    log_level: Annotated[str, AfterValidator(_checked_log_level)] = Field(
        "info",
        alias="LOG_LEVEL",
        description="debug, info, warning or error, and others for parts, by logger: "
        "info,gateway.transport=debug,azure=warning.",
    )
    log_format: LogFormat | None = Field(
        None,
        alias="LOG_FORMAT",
        description="console or json; unless set, console on a terminal and json elsewhere.",
    )

    @model_validator(mode="after")
    def _check_tls(self) -> Self:
        """Refuse TLS files that cannot be used, or would not be."""
        files = self.broker.tls_files
        if files.paths and not self.broker.tls:
            raise ValueError("MQTT_TLS_CA, _CERT and _KEY need an MQTT_URL with mqtts://")
        if files.key is not None and files.certificate is None:
            raise ValueError("MQTT_TLS_KEY needs MQTT_TLS_CERT")
        try:
            if files.paths:
                tls_context(files)
        except TlsFilesUnusable as error:
            raise ValueError(str(error)) from None
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Prefer a mounted secret to the variable, which may be a default, and that to its file."""
        mounted = SecretFiles(settings_cls, mounted_path)
        environment = _Environment(settings_cls, env_settings)
        return init_settings, mounted, environment, SecretFiles(settings_cls, secret_path)

    @property
    def broker(self) -> BrokerAddress:
        """The broker's address, with the password of `MQTT_PASSWORD` where the URL has none."""
        files = TlsFiles(self.mqtt_tls_ca, self.mqtt_tls_cert, self.mqtt_tls_key)
        address = replace(parse_broker_url(self.mqtt_url.get_secret_value()), tls_files=files)
        if self.mqtt_password is None or address.user is None or address.password is not None:
            return address
        return replace(address, password=self.mqtt_password.get_secret_value())

    @classmethod
    def log_ignored(cls) -> None:
        """Log each variable that was ignored, once the logs are configured."""
        fields = {field.alias or name: field for name, field in cls.model_fields.items()}
        for variable, meant in unknown_variables(cls):
            # Without the value, which may be a secret.
            log.warning("a variable that is no setting is ignored", variable=variable, meant=meant)
        for alias in fields:
            if _is_set_by_kubernetes(alias):
                log.warning(
                    "a variable that Kubernetes set for a Service is ignored; set "
                    "enableServiceLinks: false in the pod's spec, or give the variable a value",
                    variable=alias,
                    value=os.environ[alias],
                )

    @classmethod
    def load(cls, **given: object) -> Self:
        """Read the environment; `given` values (a command's options, by alias) take precedence.

        Raises SettingsError.
        """
        options: dict[str, Any] = {
            name: value for name, value in given.items() if value is not None
        }
        fields = {field.alias or name: field for name, field in cls.model_fields.items()}
        problems = secret_files.explain(fields)
        try:
            settings = cls(**options)
        except ValidationError as error:
            problems += _explain(fields, error)
        if problems:
            # Not in the except clause, because the context of the error would contain a secret.
            raise SettingsError(redact("\n".join(["these settings cannot be used:", *problems])))
        return settings


def unknown_variables(*kinds: type[CommonSettings]) -> list[tuple[str, str | None]]:
    """Return the variables that look like a setting of these services, and which one was meant."""
    fields = {one.alias or name: one for kind in kinds for name, one in kind.model_fields.items()}
    secrets = {f"{alias}_FILE" for alias, field in fields.items() if is_secret(field)}
    return unknown_settings(os.environ, fields.keys() | secrets)


def log_unused_proxies(destination: str) -> None:
    """Log the variables for a proxy to the internet, which requests to `destination` do not use."""
    found = [name for name in _PROXY_VARIABLES if os.environ.get(name)]
    if found:
        log.warning(
            "proxy variables are set and not used; the service must be reachable directly",
            destination=destination,
            variables=found,
        )


def _is_set_by_kubernetes(alias: str) -> bool:
    return is_service_link(alias, cleaned(os.environ.get(alias, "")))


def _explain(fields: Mapping[str, FieldInfo], error: ValidationError) -> list[str]:
    lines = []
    for wrong in error.errors():
        alias = str(wrong["loc"][0]) if wrong["loc"] else "settings"
        field = fields.get(alias)
        secret = field is not None and is_secret(field)
        shown = "(value not shown)" if secret else f"= {wrong['input']!r}"
        message = wrong["msg"].removeprefix("Value error, ")
        lines.append(f"  {alias} {shown}: {message}" if field else f"  {message}")
        if field is not None and field.description:
            lines.append(f"      {field.description}")
    return lines
