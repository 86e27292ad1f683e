"""Prints dead letters on a terminal of 80 columns or more.

Anybody can write a letter's text, so only its printable characters are sent to the terminal.
"""

from typing import Final

from rich.console import Console
from rich.text import Text

from poller.commands.terminal_text import decode_base64, format_age
from poller.settle.dead_letter_report import DeadLetterReport, ReplayForecast
from runtime.printable_text import printable

EXCERPT_LENGTH: Final = 500
"""How many characters of a text are formatted for its line: more than a terminal is wide."""

_FORECASTS: Final = {
    ReplayForecast.COMES_BACK: "becomes a dead letter again: this poller cannot decode it",
    ReplayForecast.AS_SAID_NOW: "carries no time, so its state would get the time of the replay",
    ReplayForecast.BY_ITS_TIME: "its state is published, unless a newer one was",
}


def print_letter(out: Console, letter: DeadLetterReport, queue: str) -> None:
    """Print all that is known of a letter, and its whole text."""
    size = len(letter.text.encode(errors="replace"))
    facts = {
        "id": letter.id,
        "queue": queue,
        "reason": f"{letter.reason}: {letter.detail}",
        "inserted": f"{letter.inserted}, {format_age(letter.age_s)} ago",
        "attempts": f"at least {letter.attempts_at_least} before it became a dead letter; "
        "the poller's log has the number, the queue does not",
        "received": f"{letter.reads} times since it became a dead letter",
        "replayed": _FORECASTS[letter.if_replayed],
        "text": f"{size} bytes; unprintable characters are escaped",
    }
    for name, fact in facts.items():
        line = Text(f"{name:<10}", style="bold")
        out.print(line.append(printable(fact), style="not bold"), soft_wrap=True)
    _print_text(out, letter.text)
    decoded = decode_base64(letter.text)
    if decoded is not None:
        out.print(Text("decoded from Base64", style="bold"))
        _print_text(out, decoded)


def _print_text(out: Console, text: str) -> None:
    # The bar distinguishes the lines of the text from the lines of this command.
    for line in text.split("\n"):
        out.print(Text("| ", style="dim").append(printable(line), style="not dim"), soft_wrap=True)


def print_list(out: Console, letters: list[DeadLetterReport]) -> None:
    """Print two lines a letter, because an id of 36 characters leaves no room for a text."""

    def line(name: str, reason: str, age: str, attempts: str) -> Text:
        return Text(f"{name:<36}  {reason:<17}  {age:>7}  {attempts:>8}")

    if letters:
        header = line("id", "reason", "age", "attempts")
        header.stylize("bold")
        out.print(header)
    for letter in letters:
        out.print(
            line(
                printable(letter.id),
                letter.reason,
                format_age(letter.age_s),
                f"≥ {letter.attempts_at_least}",
            )
        )
        out.print(_excerpt(letter.text), no_wrap=True, overflow="ellipsis", crop=True)


def _excerpt(text: str) -> Text:
    decoded = decode_base64(text)
    shown = f"(Base64) {decoded}" if decoded is not None else text
    return Text("  " + (printable(shown[:EXCERPT_LENGTH]) or "(empty)"), style="dim")
