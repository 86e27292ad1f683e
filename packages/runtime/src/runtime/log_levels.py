"""Levels of the log: one for everything, and others for parts of it. Pure."""

import re
from dataclasses import dataclass
from typing import Final

LEVELS: Final = ("debug", "info", "warning", "error")
"""The names of the levels, the most talkative first."""

_LOGGER: Final = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*")


@dataclass(frozen=True, slots=True)
class LogLevels:
    """The level of every line, and those of loggers, whose names are those of modules.

    A logger's level also holds for the modules below it.
    """

    default: str = "info"
    loggers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return ",".join((self.default, *(f"{name}={level}" for name, level in self.loggers)))

    @property
    def lowest(self) -> str:
        """The lowest of all levels."""
        return min((self.default, *(level for _, level in self.loggers)), key=LEVELS.index)


def parse_log_levels(text: str) -> LogLevels:
    """Return the levels that a text like `info,gateway.transport=debug,azure=warning` names.

    Raises ValueError, which names the part that cannot be used.
    """
    defaults: list[str] = []
    loggers: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        logger, has_logger, name = (one.strip() for one in part.rpartition("="))
        level = name.lower()
        if level not in LEVELS:
            raise ValueError(f"{part!r} has no level: use {', '.join(LEVELS)}")
        if not has_logger:
            defaults.append(level)
        elif not _LOGGER.fullmatch(logger):
            raise ValueError(f"{part!r} has no logger: name it like gateway.transport=debug")
        elif logger in loggers:
            raise ValueError(f"{part!r} is the second level of {logger}")
        else:
            loggers[logger] = level
    if len(defaults) > 1:
        raise ValueError(f"has two levels for everything: {' and '.join(defaults[:2])}")
    return LogLevels(defaults[0] if defaults else "info", tuple(loggers.items()))
