"""How lines are shown."""

import io

from devstack.console import Console, format_line


def test_a_line_has_its_programs_name_in_front() -> None:
    assert format_line("poller", "ready") == "poller    | ready"


def test_names_are_as_wide_as_one_another() -> None:
    assert format_line("mosquitto", "x").index("|") == format_line("poller", "x").index("|")


def test_a_colour_is_around_the_name_only() -> None:
    shown = format_line("gateway", "ready", colour=True)

    assert shown == "\x1b[32mgateway  \x1b[0m | ready"


def test_a_file_gets_no_colour() -> None:
    stream = io.StringIO()

    Console(stream).show("azurite", "listens")

    assert stream.getvalue() == "azurite   | listens\n"


def test_a_reader_that_has_gone_stops_the_printing_only() -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    console = Console(Gone(), colour=False)

    console.say("first")
    console.say("second")
