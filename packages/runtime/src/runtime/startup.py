"""Start-up: the settings that a service or a command runs with, and the logs they ask for."""

import sys
from collections.abc import Callable, Iterable
from typing import TextIO, TypeVar

from runtime.lifecycle import exit_with_usage
from runtime.logs import configure_logs
from runtime.secret_files import secret_values
from runtime.settings import CommonSettings, LogFormat, SettingsError

AnySettings = TypeVar("AnySettings", bound=CommonSettings)


def configure_service_logs(
    service: str,
    settings: CommonSettings,
    *,
    stream: TextIO = sys.stderr,
    secrets: Iterable[str] = (),
) -> None:
    """Log as the settings ask for, beginning with the variables that were ignored.

    `secrets` are values to leave out beside those of the settings.
    """
    configure_logs(
        service,
        level=settings.log_level,
        style=settings.log_format,
        stream=stream,
        secrets=[*secret_values(settings), *secrets],
    )
    settings.log_ignored()


def load_for_command(
    command: str,
    load: Callable[..., AnySettings],
    *,
    level: str,
    style: LogFormat | None = None,
    **given: object,
) -> AnySettings:
    """Return the settings of a command, such as `poller dead-letters`, and configure its logs.

    `load` is the function of its settings. `level` is the lowest that it logs, and `style` the
    setting's unless given. `given` are the options that take precedence, by alias. Exits with
    status 2 when a setting is wrong.
    """
    try:
        settings = load(**given)
    except SettingsError as error:
        exit_with_usage(command, str(error))
    service = command.partition(" ")[0]
    configure_logs(
        service, level=level, style=style or settings.log_format, secrets=secret_values(settings)
    )
    return settings
