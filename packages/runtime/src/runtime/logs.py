"""Logs: one line per event, as text on a terminal and as JSON elsewhere.

An exception's traceback follows the line on a terminal; in JSON it is a field.
No line contains what looks like a secret, or one of the secrets of the process.
"""

import logging
import sys
from collections.abc import Iterable
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict

from runtime.redaction import Redactor
from runtime.repeated_errors import RepeatedErrors
from runtime.settings import LogFormat, LogLevel

MAX_TRACEBACK_CHARACTERS: Final = 4000
"""How much of a traceback a JSON line has."""

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def configure_logs(
    service: str,
    *,
    level: LogLevel,
    style: LogFormat | None,
    stream: TextIO = sys.stderr,
    secrets: Iterable[str] = (),
) -> None:
    """Send structlog's and the standard library's records to `stream`, one line each.

    `style` None means console on a terminal, else JSON. `secrets` are the values to leave out.
    """
    redact = Redactor(secrets)
    console = (style or ("console" if stream.isatty() else "json")) == "console"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not console:
        shared.append(lambda _logger, _method, event: {"service": service, **event})
    final = _console_renderers(colors=stream.isatty()) if console else _JSON_RENDERERS
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
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
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    _set_library_levels(level)


def _set_library_levels(level: LogLevel) -> None:
    # The services log the failures of these libraries themselves.
    logging.getLogger("azure").setLevel(logging.DEBUG if level == "debug" else logging.ERROR)
    # paho logs every packet at debug level, and a lost connection as an error.
    logging.getLogger("mqtt").setLevel(logging.DEBUG if level == "debug" else logging.CRITICAL)
    # uvicorn warns of each request that it cannot parse, and any client can send many.
    logging.getLogger("uvicorn").setLevel(logging.DEBUG if level == "debug" else logging.ERROR)
    for noisy in ("aiohttp", "asyncio", "websockets"):
        logging.getLogger(noisy).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)


def _console_renderers(*, colors: bool) -> list[Any]:
    return [
        _on_one_line,
        structlog.dev.ConsoleRenderer(
            colors=colors,
            pad_event_to=0,
            # The default prints each frame's variables where rich is installed, also secrets.
            exception_formatter=structlog.dev.plain_traceback,
        ),
    ]


def _on_one_line(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Escape characters that would break the line or control the terminal."""
    text = str(event["event"])
    if not text.isprintable():
        text = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
    return {**event, "event": text}


def _cut_exception(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Cut a traceback in its middle; its last line may quote what somebody sent."""
    text = event.get("exception")
    if isinstance(text, str) and len(text) > MAX_TRACEBACK_CHARACTERS:
        half = MAX_TRACEBACK_CHARACTERS // 2
        event = {**event, "exception": f"{text[:half]}\n…\n{text[-half:]}"}
    return event


_JSON_RENDERERS: Final[list[Any]] = [
    structlog.processors.format_exc_info,
    _cut_exception,
    structlog.processors.JSONRenderer(sort_keys=False),
]
