"""The console prints lines with their program's name, and survives a closed pipe."""

import io

from devstack.console import Console, format_line


def test_a_line_has_its_programs_name_in_front() -> None:
    assert format_line("poller", "ready") == "poller    | ready"


def test_all_names_are_padded_to_the_same_width() -> None:
    assert format_line("mosquitto", "x").index("|") == format_line("poller", "x").index("|")


def test_only_the_name_is_coloured() -> None:
    shown = format_line("gateway", "ready", colour=True)

    assert shown == "\x1b[32mgateway  \x1b[0m | ready"


def test_nothing_is_coloured_in_a_file() -> None:
    stream = io.StringIO()

    Console(stream).show("azurite", "listens")

    assert stream.getvalue() == "azurite   | listens\n"


def test_printing_to_a_closed_pipe_raises_nothing() -> None:
    class ClosedPipe(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    console = Console(ClosedPipe(), colour=False)

    console.print("first")
    console.print("second")
