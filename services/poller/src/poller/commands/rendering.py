"""How dead letters look on a terminal of 80 columns or more.

A letter's text is anybody's: nothing of it reaches the terminal but what is printable.
"""

from typing import Final

from rich.console import Console
from rich.text import Text

from poller.settle.dead_letters import Account, Outlook, printable, say_age, unpacked

EXCERPT: Final = 500
"""How many characters of a text are looked at for one line: more than a terminal is wide."""

_IF_REPLAYED: Final = {
    Outlook.COMES_BACK: "it comes back as a dead letter: this poller cannot read it",
    Outlook.AS_SAID_NOW: "it carries no time of its own and would count as said just now",
    Outlook.BY_ITS_TIME: "its state is published, unless a newer one was",
}


def print_letter(out: Console, letter: Account, queue: str) -> None:
    """Print all that is known of a letter, and its whole text."""
    size = len(letter.text.encode(errors="replace"))
    facts = {
        "id": letter.id,
        "queue": queue,
        "reason": f"{letter.reason}: {letter.detail}",
        "inserted": f"{letter.inserted}, {say_age(letter.age_s)} ago",
        "attempts": f"at least {letter.attempts_at_least} before it came here; "
        "the queue keeps no number, the poller's log does",
        "received": f"{letter.reads} times since it came here",
        "replayed": _IF_REPLAYED[letter.if_replayed],
        "text": f"{size} bytes, word for word but for what is escaped",
    }
    for name, fact in facts.items():
        line = Text(f"{name:<10}", style="bold")
        out.print(line.append(printable(fact), style="not bold"), soft_wrap=True)
    _print_text(out, letter.text)
    inner = unpacked(letter.text)
    if inner is not None:
        out.print(Text("which says, as Base64", style="bold"))
        _print_text(out, inner)


def _print_text(out: Console, text: str) -> None:
    # The bar is what tells a text's own lines from ours.
    for line in text.split("\n"):
        out.print(Text("| ", style="dim").append(printable(line), style="not dim"), soft_wrap=True)


def print_list(out: Console, letters: list[Account]) -> None:
    """Print two lines a letter, the second the beginning of its text."""

    # Two lines a letter: beside an id of 36 characters there is no room for a text.
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
                say_age(letter.age_s),
                f"≥ {letter.attempts_at_least}",
            )
        )
        out.print(_excerpt(letter.text), no_wrap=True, overflow="ellipsis", crop=True)


def _excerpt(text: str) -> Text:
    inner = unpacked(text)
    said = f"(Base64) {inner}" if inner is not None else text
    return Text("  " + (printable(said[:EXCERPT]) or "(empty)"), style="dim")
