"""Logs: one line per event, as text on a terminal and as JSON elsewhere.

An exception's traceback follows the line on a terminal; in JSON it is a field.
No line contains what looks like a secret, or one of the secrets of the process.
"""

import logging
import sys
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict

from runtime.log_levels import LogLevels, parse_log_levels
from runtime.printable_text import printable
from runtime.redaction import Redactor
from runtime.repeated_errors import RepeatedErrors
from runtime.settings import LogFormat

MAX_TRACEBACK_CHARACTERS: Final = 4000
"""How much of a traceback a line has."""

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

_QUIET_LIBRARIES: Final = {
    # The services log the failures of these libraries themselves.
    "azure": logging.ERROR,
    # paho logs every packet at debug level, and a lost connection as an error.
    "mqtt": logging.CRITICAL,
    # uvicorn warns of each request that it cannot parse, and any client can send many.
    "uvicorn": logging.ERROR,
    "aiohttp": logging.WARNING,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "websockets": logging.WARNING,
}
"""The levels of libraries, unless debug lines are asked for or LOG_LEVEL names them."""


def configure_logs(
    service: str,
    *,
    level: str,
    style: LogFormat | None,
    stream: TextIO = sys.stderr,
    secrets: Iterable[str] = (),
) -> None:
    """Send structlog's and the standard library's records to `stream`, one line each.

    `level` is as in LOG_LEVEL. `style` None means console on a terminal, else JSON.
    `secrets` are the values to leave out.
    """
    levels = parse_log_levels(level)
    redact = Redactor(secrets)
    console = (style or ("console" if stream.isatty() else "json")) == "console"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    if not console or levels.lowest == "debug":
        shared.append(structlog.stdlib.add_logger_name)
    if not console:
        shared.append(lambda _logger, _method, event: {"service": service, **event})
    final = _console_renderers(colors=stream.isatty()) if console else _JSON_RENDERERS
    structlog.configure(
        processors=[
            # make_filtering_bound_logger knows the lowest of all levels, this one each logger's.
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[levels.lowest]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.addFilter(RepeatedErrors())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *final,
                # Last, because a traceback may quote anything.
                lambda _logger, _method, line: redact(str(line)),
            ],
        )
    )
    logging.getLogger().handlers[:] = [handler]
    _set_levels(levels)


def _set_levels(levels: LogLevels) -> None:
    while _configured:
        logging.getLogger(_configured.pop()).setLevel(logging.NOTSET)
    logging.getLogger().setLevel(_LEVELS[levels.default])
    for name, quiet in _QUIET_LIBRARIES.items():
        _set_level(name, logging.DEBUG if levels.default == "debug" else quiet)
    for name, level in levels.loggers:
        _set_level(name, _LEVELS[level])


_configured: set[str] = set()
"""The loggers that have a level of their own, which another configuration takes away."""


def _set_level(name: str, level: int) -> None:
    logging.getLogger(name).setLevel(level)
    _configured.add(name)


def _add_trace(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Add the ids of the current span, where traces are recorded."""
    traces = sys.modules.get("opentelemetry.trace")
    if traces is not None:
        context = traces.get_current_span().get_span_context()
        if context.is_valid:
            event["trace_id"] = f"{context.trace_id:032x}"
            event["span_id"] = f"{context.span_id:016x}"
    return event


def _console_renderers(*, colors: bool) -> list[Any]:
    return [
        _on_one_line,
        structlog.dev.ConsoleRenderer(
            colors=colors,
            pad_event_to=0,
            # The default prints each frame's variables where rich is installed, also secrets.
            exception_formatter=_plain_traceback,
        ),
    ]


def _on_one_line(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Escape characters that would break the line or control the terminal, in every value."""
    return {
        name: value if name in _NOT_TEXT else _printable_value(value)
        for name, value in event.items()
    }


_NOT_TEXT: Final = frozenset({"exc_info", "exception", "stack", "level", "timestamp"})
"""Fields that the console renderer handles by itself."""


def _printable_value(value: object) -> object:
    """Return a value whose text is printable: itself where it is one already."""
    text = value if isinstance(value, str) else repr(value)
    return value if text.isprintable() else printable(text)


def _plain_traceback(
    stream: TextIO,
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None],
) -> None:
    text = "".join(traceback.format_exception(*exc_info)).rstrip("\n")
    stream.write("\n" + printable(_cut(text), keep="\n"))


def _cut(text: str) -> str:
    """Cut a traceback in its middle; its last line may quote what somebody sent."""
    if len(text) <= MAX_TRACEBACK_CHARACTERS:
        return text
    half = MAX_TRACEBACK_CHARACTERS // 2
    return f"{text[:half]}\n…\n{text[-half:]}"


def _cut_exception(_logger: object, _method: str, event: EventDict) -> EventDict:
    text = event.get("exception")
    return {**event, "exception": _cut(text)} if isinstance(text, str) else event


_JSON_RENDERERS: Final[list[Any]] = [
    structlog.processors.format_exc_info,
    _cut_exception,
    structlog.processors.JSONRenderer(sort_keys=False),
]
