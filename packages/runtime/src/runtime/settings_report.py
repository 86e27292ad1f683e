"""Settings report: every setting with its value and where that is from, without secrets."""

from typing import Any

import msgspec
from pydantic import SecretStr

from runtime.redaction import REDACTED, redact
from runtime.secret_files import is_secret
from runtime.settings import CommonSettings, unknown_variables


class SettingReport(msgspec.Struct, frozen=True):
    """One setting: `value` is text for people, `***` for a secret that is set."""

    name: str
    value: str
    is_set: bool
    description: str


class UnknownVariable(msgspec.Struct, frozen=True):
    """A variable that is named like a setting and is none; `meant` is the one that resembles it."""

    variable: str
    meant: str | None


def report_settings(settings: CommonSettings) -> list[SettingReport]:
    """Return every setting of a service, in the order of their declaration."""
    return [
        SettingReport(
            field.alias or name,
            _shown(getattr(settings, name), secret=is_secret(field)),
            name in settings.model_fields_set,
            field.description or "",
        )
        for name, field in type(settings).model_fields.items()
    ]


def report_unknown(*kinds: type[CommonSettings]) -> list[UnknownVariable]:
    """Return the variables of the environment that look like a setting of these services."""
    return [UnknownVariable(*found) for found in unknown_variables(*kinds)]


def _shown(value: Any, *, secret: bool) -> str:
    if isinstance(value, SecretStr) or secret:
        return REDACTED if value else ""
    if isinstance(value, tuple):
        return redact(",".join(map(str, value)))
    return "" if value is None else redact(str(value))
