"""Logs: one line an event, JSON that programs read, a console that people do."""

import io
import json
import logging
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.logs import MAX_TRACEBACK_CHARACTERS, configure_logs
from runtime.settings import LogFormat
from tests.unit.contract.strategies import any_text


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def written(
    style: LogFormat | None, level: str = "info", stream: io.StringIO | None = None
) -> io.StringIO:
    """Configure logs and return where they go."""
    stream = stream or io.StringIO()
    configure_logs("poller", level=level, style=style, stream=stream)
    return stream


def records(stream: io.StringIO) -> list[dict[str, Any]]:
    """The lines of a JSON log; each must be one object."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail_in_a_place_with_a_secret() -> None:
    """Raise with a text of two lines, a secret close by."""
    password = "s3cret"
    assert password
    raise ValueError("first line\nsecond line")


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize("where", ["event", "field", "traceback", "another library"])
def test_no_line_contains_a_secret(style: LogFormat, where: str) -> None:
    """Neither one that the process knows nor one that looks like it, wherever it is."""
    stream = io.StringIO()
    configure_logs("poller", level="debug", style=style, stream=stream, secrets=["open sesame!"])
    text = "open sesame! from mqtt://user:hushhush@host with AccountKey=hushhush"
    logger = structlog.get_logger()
    if where == "event":
        logger.info(text)
    elif where == "field":
        logger.info("failed", error=text, more={"deep": [text]})
    elif where == "traceback":
        logger.error("failed", exc_info=ValueError(text))
    else:
        logging.getLogger("azure.core").debug("request %s", text)

    assert "***" in stream.getvalue()
    assert "sesame" not in stream.getvalue()
    assert "hushhush" not in stream.getvalue()


def test_a_json_line_has_the_service_the_event_and_its_fields() -> None:
    """The service is first, because the lines of many services are collected in one place."""
    stream = written("json")
    structlog.get_logger().warning("broker lost", why="gone", tries=3)

    (record,) = records(stream)
    assert stream.getvalue().startswith('{"service": "poller"')
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "service": "poller", "level": "warning", "event": "broker lost", "why": "gone", "tries": 3,
        "logger": "tests.unit.runtime.test_logs",
    }  # fmt: skip


def test_a_traceback_is_a_field_of_its_json_line() -> None:
    """However many lines it has."""
    stream = written("json")
    try:
        fail_in_a_place_with_a_secret()
    except ValueError:
        structlog.get_logger().exception("failed", topic="a/b")
        logging.getLogger("somebody").exception("failed %s", "too")

    ours, theirs = records(stream)
    assert (ours["event"], ours["topic"], ours["level"]) == ("failed", "a/b", "error")
    assert (theirs["event"], theirs["service"]) == ("failed too", "poller")
    for record in (ours, theirs):
        assert record["exception"].endswith("ValueError: first line\nsecond line")
    assert "s3cret" not in stream.getvalue()


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_record_of_the_standard_library_has_the_same_format(style: LogFormat) -> None:
    """With its arguments formatted and its level kept."""
    stream = written(style)
    logging.getLogger("somebody").warning("%d of %s", 3, "them")

    assert len(stream.getvalue().splitlines()) == 1
    assert "3 of them" in stream.getvalue()
    assert "warning" in stream.getvalue()


@given(any_text, any_text, st.binary(max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_event_is_one_line_whatever_its_text(event: str, value: str, raw: bytes) -> None:
    """Text from outside cannot imitate another line."""
    # Two halves of a pair become the whole: JSON cannot tell them apart.
    kept = tuple(json.loads(json.dumps(one)) for one in (event, value, event))
    for style in ("json", "console"):
        stream = written("json" if style == "json" else "console")
        structlog.get_logger().info(event, value=value, raw=raw)
        logging.getLogger("somebody").info("%s", event)

        assert stream.getvalue().count("\n") == 2
        if style == "json":
            ours, theirs = records(stream)
            assert (ours["event"], ours["value"], theirs["event"]) == kept


HOSTILE = '\x1b[2Jred\x07\r\n\x9b31m\u2028{"event": "forged"}\u202e\x7f'


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize("where", ["event", "field", "deep", "object", "library", "traceback"])
def test_no_control_character_reaches_the_terminal(style: LogFormat, where: str) -> None:
    """Text from outside can neither colour, move nor clear, nor look like another line."""

    class Hostile:
        def __repr__(self) -> str:
            return HOSTILE

    stream = written(style)
    logger = structlog.get_logger()
    if where == "event":
        logger.info(HOSTILE)
    elif where == "field":
        logger.info("hello", text=HOSTILE.replace(" ", ""))
    elif where == "deep":
        logger.info("hello", text={"a": [HOSTILE, HOSTILE.encode()]})
    elif where == "object":
        logger.info("hello", text=Hostile())
    elif where == "library":
        logging.getLogger("somebody").warning("%s", HOSTILE)
    else:
        logger.error("hello", exc_info=ValueError(HOSTILE))

    lines = stream.getvalue().split("\n")
    assert lines.pop() == ""
    assert all(line.isprintable() for line in lines)
    if style == "json" or where != "traceback":
        assert len(lines) == 1
    if style == "json":
        assert "red" in str(records(stream))


def test_a_console_line_has_time_level_event_and_fields() -> None:
    """In this order."""
    stream = written("console")
    structlog.get_logger().info("broker ready", broker="mqtt://h:1883")

    _, rest = stream.getvalue().split(" ", 1)
    assert rest == "[info     ] broker ready broker=mqtt://h:1883\n"


def test_a_traceback_on_the_console_follows_its_line_without_variables() -> None:
    """A variable may hold a password."""
    stream = written("console")
    try:
        fail_in_a_place_with_a_secret()
    except ValueError:
        structlog.get_logger().exception("failed")

    first, second, *_, last = stream.getvalue().splitlines()
    assert first.endswith("failed")
    assert second == "Traceback (most recent call last):"
    assert last == "second line"
    assert "s3cret" not in stream.getvalue()


@pytest.mark.parametrize(
    ("style", "stream", "colours", "is_json"),
    [
        (None, io.StringIO, False, True),
        (None, Terminal, True, False),
        ("json", Terminal, False, True),
        ("console", io.StringIO, False, False),
    ],
)
def test_the_default_is_colours_on_a_terminal_and_json_elsewhere(
    style: LogFormat | None, stream: type[io.StringIO], colours: bool, is_json: bool
) -> None:
    """No escape ever gets into a file."""
    output = written(style, stream=stream())
    structlog.get_logger().info("hello")

    assert ("\x1b[" in output.getvalue()) == colours
    assert output.getvalue().startswith("{") == is_json


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_records_below_the_level_are_not_shown(level: str, shown: list[str]) -> None:
    """Of structlog and of the standard library."""
    stream = written("json", level)
    for name in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger(), name)("ours")
        getattr(logging.getLogger("somebody"), name)("theirs")

    assert [record["level"] for record in records(stream)] == [
        name for name in shown for _ in ("ours", "theirs")
    ]


def test_a_part_has_a_level_of_its_own() -> None:
    """Of the services and of libraries; it holds for what is below, and until the next one."""
    stream = written("json", "warning,gateway.transport=debug,azure=info,gateway.transport.a=error")
    for name in ("gateway", "gateway.transport", "gateway.transport.b", "gateway.transport.a"):
        for method in ("debug", "info", "warning"):
            getattr(structlog.wrap_logger(logging.getLogger(name)), method)("ours")
    logging.getLogger("azure.core").info("theirs")
    logging.getLogger("uvicorn").warning("theirs")

    assert [(one["logger"], one["level"]) for one in records(stream)] == [
        ("gateway", "warning"),
        *(("gateway.transport", level) for level in ("debug", "info", "warning")),
        *(("gateway.transport.b", level) for level in ("debug", "info", "warning")),
        ("azure.core", "info"),
    ]
    again = written("json", "warning")
    structlog.wrap_logger(logging.getLogger("gateway.transport.b")).info("ours")
    assert records(again) == []


def test_a_console_line_names_the_logger_where_debug_lines_are_asked_for() -> None:
    """The name is what LOG_LEVEL takes."""
    stream = written("console", "info,tests=debug")
    structlog.get_logger().debug("hello")
    assert stream.getvalue().endswith("hello [tests.unit.runtime.test_logs]\n")


@pytest.mark.parametrize("library", ["azure", "aiohttp", "uvicorn", "asyncio", "websockets"])
def test_libraries_log_only_problems_unless_the_level_is_debug(library: str) -> None:
    """Normal operation logs little."""
    quiet = written("json")
    logging.getLogger(f"{library}.part").info("connected")
    logging.getLogger(f"{library}.part").error("failed")
    assert [record["event"] for record in records(quiet)] == ["failed"]

    loud = written("json", "debug")
    logging.getLogger(f"{library}.part").info("connected")
    assert [record["event"] for record in records(loud)] == ["connected"]


def test_configuring_logs_twice_does_not_duplicate_lines() -> None:
    """The last configuration applies."""
    first, second = written("json"), written("console")
    structlog.get_logger().info("hello")
    logging.getLogger("somebody").info("hello")

    assert first.getvalue() == ""
    assert second.getvalue().count("hello") == 2


def test_a_traceback_in_json_is_cut() -> None:
    """An error may quote what somebody sent."""
    stream = written("json")
    try:
        raise ValueError("9" * 100_000)
    except ValueError:
        structlog.get_logger().exception("failed")
    (record,) = records(stream)
    assert len(record["exception"]) <= MAX_TRACEBACK_CHARACTERS + 3
    assert record["exception"].startswith("Traceback")
