"""What is said of a dead letter: for any text, at any age, on any terminal of 80 columns."""

import base64
import io
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from contract.messages import Reason, Rejection, decode_message
from poller.commands.rendering import print_letter, print_list
from poller.settle.dead_letters import (
    Account,
    Letter,
    Outlook,
    describe,
    lease_s,
    most_to_meet,
    printable,
    say_age,
    unpacked,
)

NOW_US = int(datetime(2026, 11, 22, 6, tzinfo=UTC).timestamp()) * 1_000_000
HOUR_US = 3_600_000_000
ID = "6f1f2a6c-0d0e-4b6e-9a3c-7ab0c1d2e3f4"

characters = st.characters(codec="utf-8")
texts = st.one_of(
    st.text(characters),
    st.text(st.sampled_from("\x1b[]\x9b\x07\x00\n\r\t\u202e\u2028\u200d\x7f\\ aA雲☁🌥")),
    st.binary().map(lambda some: base64.b64encode(some).decode()),
    st.sampled_from(["HUGGING", "('HUGGING', 'NEUTRAL')", '{"pillow":"a","state":"hug"}']),
)


def account(text: str, *, age_us: int = HOUR_US, max_attempts: int = 5) -> Account:
    """What is said of a letter with this text."""
    return describe(
        Letter(ID, NOW_US - age_us, 3, text),
        now_us=NOW_US,
        default_pillow="cloud",
        max_attempts=max_attempts,
    )


@given(texts)
def test_every_text_has_a_reason_and_is_told_word_for_word(text: str) -> None:
    """Also after a way through JSON, which is what scripts and exports get."""
    said = account(text)

    assert msgspec.json.decode(msgspec.json.encode(said), type=Account) == said
    assert (said.id, said.text, said.age_s, said.reads) == (ID, text, 3600, 3)
    assert said.inserted == "2026-11-22T05:00:00.000Z"
    assert said.detail


@given(texts, st.integers(1, 1000))
def test_the_reason_is_the_one_the_poller_would_find_now(text: str, max_attempts: int) -> None:
    """What it can read was received too often; of attempts only what follows is claimed."""
    said = account(text, max_attempts=max_attempts)
    decision = decode_message(text, default_pillow="cloud", queued_us=NOW_US)

    if isinstance(decision, Rejection):
        assert (said.reason, said.detail) == (decision.reason, decision.detail)
        assert (said.attempts_at_least, said.if_replayed) == (1, Outlook.COMES_BACK)
    else:
        assert said.reason == Reason.TOO_MANY_ATTEMPTS
        assert said.attempts_at_least == max_attempts + 1
        assert said.if_replayed != Outlook.COMES_BACK


@pytest.mark.parametrize(
    ("text", "outlook"),
    [
        ('{"pillow":"a","state":"hugging","at":"2026-11-22T05:00:00Z"}', Outlook.BY_ITS_TIME),
        ('{"pillow":"a","state":"hugging"}', Outlook.AS_SAID_NOW),
        ("hug", Outlook.AS_SAID_NOW),
        # An `at` this far ahead is replaced by the queue's time, at the replay as well.
        ('{"pillow":"a","state":"hugging","at":"2099-01-01T00:00:00Z"}', Outlook.AS_SAID_NOW),
        ("waltzing", Outlook.COMES_BACK),
        ("", Outlook.COMES_BACK),
    ],
)
def test_what_a_replay_would_come_to_is_said_before(text: str, outlook: Outlook) -> None:
    """An old state without a time of its own would look new, and nobody is to be surprised."""
    assert account(text).if_replayed == outlook


def test_a_clock_that_is_behind_makes_no_negative_age() -> None:
    """The queue's own clock has whole seconds."""
    assert account("what?", age_us=-1).age_s == 0


@given(st.text())
def test_nothing_that_commands_a_terminal_is_printed(text: str) -> None:
    """Escapes, bells, newlines, and what turns the direction of writing; the rest stays."""
    safe = printable(text)

    assert safe.isprintable()
    assert printable(safe) == safe
    if text.isprintable():
        assert safe == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("txt.\u202egnp", "txt.\\u202egnp"),
        ("雲 ☁ 🌥", "雲 ☁ 🌥"),
    ],
)
def test_what_is_escaped_can_still_be_recognised(text: str, shown: str) -> None:
    """As Python writes it."""
    assert printable(text) == shown


@given(st.text(characters, min_size=6))
def test_base64_is_unpacked(text: str) -> None:
    """Also where it was broken into lines."""
    packed = base64.encodebytes(text.encode()).decode()
    assert unpacked(packed) == text


@given(texts)
def test_unpacking_what_is_no_base64_is_no_error(text: str) -> None:
    """Whatever it is, the answer is a text or None."""
    inner = unpacked(text)
    assert inner is None or base64.b64decode("".join(text.split())).decode() == inner


@pytest.mark.parametrize("word", ["spin", "test1234", "HUGGING", "neutrals"])
def test_a_word_is_not_taken_for_base64(word: str) -> None:
    """Though by its letters it could be."""
    assert unpacked(word) is None


@given(st.lists(st.tuples(texts, st.integers(0, 10**9)), max_size=4))
def test_a_list_fits_80_columns_and_is_two_lines_a_letter(given: list[tuple[str, int]]) -> None:
    """Whatever the texts, and with a heading where there is any."""
    page = io.StringIO()
    letters = [account(text, age_us=age_s * 1_000_000) for text, age_s in given]
    print_list(Console(file=page, width=80, markup=False, highlight=False, emoji=False), letters)

    lines = page.getvalue().split("\n")[:-1]
    assert len(lines) == (2 * len(letters) + 1 if letters else 0)
    for line in lines:
        assert line.isprintable()
        assert cell_len(line) <= 80


@given(texts)
def test_a_letters_lines_cannot_pass_for_ours(text: str) -> None:
    """Each line of the text stands behind a bar, and none is cut."""
    page = io.StringIO()
    print_letter(
        Console(file=page, width=80, markup=False, highlight=False, emoji=False),
        account(text),
        "some-poison",
    )

    lines = page.getvalue().split("\n")[:-1]
    assert all(line.isprintable() for line in lines)
    ours = [line.split()[0] for line in lines if not line.startswith("| ")]
    facts = ["id", "queue", "reason", "inserted", "attempts", "received", "replayed", "text"]
    assert ours == [*facts, "which"] if unpacked(text) is not None else ours == facts
    shown = [line.removeprefix("| ") for line in lines if line.startswith("| ")]
    assert shown[: text.count("\n") + 1] == [printable(one) for one in text.split("\n")]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (172_799, "1 d")],
)
def test_an_age_is_said_in_its_largest_whole_unit(seconds: int, said: str) -> None:
    """Which is what one wants to know of it."""
    assert say_age(seconds) == said


@given(st.integers(0, 10**7))
def test_a_lease_covers_its_walk_and_a_walk_ends(count: int) -> None:
    """A second a page, a minute at least, an hour at most."""
    assert 60 <= lease_s(count) <= 3600
    assert lease_s(count) >= min(3600, count / 32)
    assert most_to_meet(count) > count
