"""Secrets that are read from files: `<NAME>_FILE` or /run/secrets/<NAME> for each secret NAME."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from runtime.variables import cleaned

MOUNTED: Final = Path("/run/secrets")
"""Where Docker and Kubernetes mount secrets; a file there that is named after a setting is it."""

PathOf: TypeAlias = Callable[[str, FieldInfo], str | None]
"""Returns the path of a setting's file; None if there is none, or the setting is no secret."""


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


def mounted_path(alias: str, field: FieldInfo) -> str | None:
    """Return the path of a secret in MOUNTED; None if it is not there, or the setting is none."""
    if not is_secret(field):
        return None
    path = MOUNTED / alias
    try:
        is_there = path.is_file()
    except OSError:
        is_there = True  # `load` reports why it cannot be read
    return str(path) if is_there else None


def explain(fields: Mapping[str, FieldInfo]) -> list[str]:
    """Return lines about the files that cannot be used."""
    lines = []
    for alias, field in fields.items():
        for path_of, name in ((mounted_path, alias), (secret_path, f"{alias}_FILE")):
            path = path_of(alias, field)
            if path is not None and (reason := read_error(path)) is not None:
                lines.append(f"  {name} = {path!r}: {reason}")
                lines.append(f"      The path of a file that holds {alias}.")
    return lines


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
    """Reads the file of each secret that has one (a Docker or Kubernetes secret)."""

    def __init__(self, settings_cls: type[BaseSettings], path_of: PathOf) -> None:
        super().__init__(settings_cls)
        self._path_of = path_of

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        alias = field.alias or field_name
        path = self._path_of(alias, field)
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
