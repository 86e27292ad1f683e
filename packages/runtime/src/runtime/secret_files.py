"""Secrets that are read from files: `<NAME>_FILE` for each secret `NAME`."""

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from runtime.variables import cleaned


def is_secret(field: FieldInfo) -> bool:
    """Return whether a setting's value must never be shown."""
    return "SecretStr" in str(field.annotation)


def secret_values(settings: BaseSettings) -> list[str]:
    """Return the values that must never be shown."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    return [one.get_secret_value() for one in values if isinstance(one, SecretStr)]


def secret_path(alias: str, field: FieldInfo) -> str | None:
    """Return the path in `<NAME>_FILE`; None if it is not set, or the setting is no secret."""
    return cleaned(os.environ.get(f"{alias}_FILE", "")) or None if is_secret(field) else None


def read_error(path: str) -> str | None:
    """Return why a secret's file cannot be used; None if it can."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        return error.strerror or "cannot be read"
    except UnicodeError:
        return "is not text"
    return None if cleaned(text) else "is empty"


class SecretFiles(PydanticBaseSettingsSource):
    """Reads `<NAME>_FILE` for each secret `NAME` (a Docker or Kubernetes secret)."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        alias = field.alias or field_name
        path = secret_path(alias, field)
        if path is None or read_error(path) is not None:
            return None, alias, False  # `load` reports it
        return cleaned(Path(path).read_text(encoding="utf-8")), alias, False

    def __call__(self) -> dict[str, Any]:
        values = {}
        for name, field in self.settings_cls.model_fields.items():
            value, alias, _ = self.get_field_value(field, name)
            if value is not None:
                values[alias] = value
        return values
