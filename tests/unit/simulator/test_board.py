"""The board: what a person sees says what is, on every width."""

from collections import Counter
from io import StringIO

import pytest
from rich.console import Console, RenderableType

from simulator.board import ROWS, Board
from simulator.delivery import Tally
from simulator.stream.faults import Item
from tests.unit.simulator.plans import items, plan_of


def shown(what: RenderableType, width: int = 100) -> str:
    """What is on the screen."""
    out = StringIO()
    Console(file=out, width=width, color_system=None).print(what)
    return out.getvalue()


@pytest.fixture
def board() -> Board:
    """Twenty pillows, of which all have spoken once."""
    plan = plan_of('lasts = "1m"\n[[pillows]]\ncount = 20\n[[faults]]\nkind = "loss"\nrate = 0\n')
    tally = Tally(sent=1234, skipped=5, worst_late_s=2.5, elapsed_s=10)
    tally.reasons["bad-id"] = 3
    board = Board(plan, "mqtt", tally, Counter({"loss": 7, "delay": 0}))
    board.sent(items(plan, 25)[0])
    return board


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_has_pillows_rates_faults_and_seed(board: Board, width: int) -> None:
    """On a narrow terminal too."""
    text = shown(board.table(), width)

    for word in ("cloud-1 ", f"cloud-{ROWS}", "and 8 more", "neutral", "seed 7", "loss 7", "1,234"):
        assert word in text
    assert "skipped 5" in text


def test_a_pillow_without_a_network_is_shown_as_such(board: Board) -> None:
    """Until it is back."""
    board.link(Item(1, "cloud-2", link="down"))
    assert "no network" in shown(board.table())

    board.link(Item(2, "cloud-2", link="up"))
    assert "no network" not in shown(board.table())


def test_the_summary_says_what_was_asked_and_what_was_achieved(board: Board) -> None:
    """And how to have it again."""
    text = shown(board.summary())

    assert "1,234 messages, 123.4/s of 123.9/s asked" in text
    assert "5 passed over because they were late" in text
    assert "bad-id 3" in text
    assert "simulator run test.toml --seed 7" in text


def test_the_log_line_has_the_same_facts(board: Board) -> None:
    """In numbers."""
    assert board.facts() == {
        "sent": 1234,
        "skipped": 5,
        "failed": 0,
        "asked_per_s": 123.9,
        "achieved_per_s": 123.4,
        "worst_late_s": 2.5,
        "dead_letters": {"bad-id": 3},
        "faults": {"loss": 7},
    }
