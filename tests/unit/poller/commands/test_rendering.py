"""The output of `list` and `show` on a terminal of 80 columns."""

import base64
import io

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from poller.commands.rendering import print_letter, print_list
from poller.commands.terminal_text import decode_base64
from poller.queues import DeadLetter
from poller.settle.dead_letter_report import DeadLetterReport, report_on
from runtime.printable_text import printable

ID = "6f1f2a6c-0d0e-4b6e-9a3c-7ab0c1d2e3f4"
NOW_US = 1_795_327_200_000_000

texts = st.one_of(
    st.text(st.characters(codec="utf-8")),
    st.text(st.sampled_from("\x1b[]\x9b\x07\x00\n\r\t\u202e\u2028\u200d\x7f\\ aA雲☁🌥")),
    st.binary().map(lambda some: base64.b64encode(some).decode()),
    st.sampled_from(["HUGGING", "('HUGGING', 'NEUTRAL')", '{"pillow":"a","state":"hug"}']),
)


def report(text: str, age_s: int = 3600) -> DeadLetterReport:
    """The report on a letter with this text."""
    letter = DeadLetter(ID, NOW_US - age_s * 1_000_000, 3, text)
    return report_on(letter, now_us=NOW_US, default_pillow="cloud", max_attempts=5)


def console(output: io.StringIO) -> Console:
    """A console of 80 columns, set up as the commands' is."""
    return Console(file=output, width=80, markup=False, highlight=False, emoji=False)


@given(st.lists(st.tuples(texts, st.integers(0, 10**9)), max_size=4))
def test_a_list_has_two_lines_a_letter_of_at_most_80_columns(
    letters: list[tuple[str, int]],
) -> None:
    """Whatever the texts, and with a heading if there is a letter."""
    output = io.StringIO()
    print_list(console(output), [report(text, age_s) for text, age_s in letters])

    lines = output.getvalue().split("\n")[:-1]
    assert len(lines) == (2 * len(letters) + 1 if letters else 0)
    for line in lines:
        assert line.isprintable()
        assert cell_len(line) <= 80


@given(texts)
def test_each_line_of_a_letter_s_text_begins_with_a_bar_and_is_whole(text: str) -> None:
    """So that a text cannot imitate the lines of the command."""
    output = io.StringIO()
    print_letter(console(output), report(text), "some-poison")

    lines = output.getvalue().split("\n")[:-1]
    assert all(line.isprintable() for line in lines)
    own = [line.split()[0] for line in lines if not line.startswith("| ")]
    facts = ["id", "queue", "reason", "inserted", "attempts", "received", "replayed", "text"]
    assert own == ([*facts, "decoded"] if decode_base64(text) is not None else facts)
    shown = [line.removeprefix("| ") for line in lines if line.startswith("| ")]
    assert shown[: text.count("\n") + 1] == [printable(one) for one in text.split("\n")]
