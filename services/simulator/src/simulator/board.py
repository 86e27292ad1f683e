"""The board: what a person sees of a run, as it goes on and when it is over.

It is told of what was taken, and makes of it a table for a terminal, one line for a log, and the
summary. It counts no message itself: `Delivery` and `Stream` do.
"""

import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contract.states import STATES
from simulator.delivery import Tally
from simulator.model.fleet import pillow_id
from simulator.scenario.plan import Plan
from simulator.stream.faults import Item

ROWS: Final = 12
"""How many pillows the table shows; the others are counted."""

_RATE_OVER_S: Final = 5.0
_BARS: Final = " ▁▂▃▄▅▆▇█"


class Board:
    """What is known of a run."""

    def __init__(self, plan: Plan, target: str, tally: Tally, faults: Counter[str]) -> None:
        self.plan, self.target = plan, target
        self.tally, self.faults = tally, faults
        self._states: Counter[str] = Counter()
        self._newest: dict[str, Item] = {}
        self._links: dict[str, str] = {}
        self._virtual_s = 0.0
        self._marks: deque[tuple[float, int, int]] = deque()
        shown: list[str] = []
        for kind, count in plan.groups:
            room = max(0, ROWS - len(shown))
            shown += [pillow_id(kind.name, one) for one in range(1, min(count, room) + 1)]
        self._rows = shown
        self._wanted = frozenset(shown)

    def sent(self, batch: Sequence[Item]) -> None:
        """Hear of messages that were taken."""
        for item in batch:
            if item.said is not None:
                self._states[item.said.state] += 1
            if item.pillow in self._wanted:
                self._newest[item.pillow] = item
        self._virtual_s = max(self._virtual_s, batch[-1].due_s)

    def link(self, item: Item) -> None:
        """Hear of a network that came or went."""
        if item.pillow in self._wanted:
            self._links[item.pillow] = item.link or ""

    # For a terminal

    def table(self) -> RenderableType:
        """Return the live table."""
        pillows = Table(box=None, padding=(0, 2, 0, 0), expand=False)
        for name, justify in (
            ("pillow", "left"), ("state", "left"), ("sure", "right"), ("battery", "right"),
            ("seq", "right"), ("motion, g", "left"),
        ):  # fmt: skip
            pillows.add_column(name, justify=justify, header_style="bold")  # type: ignore[arg-type]
        for pillow in self._rows:
            pillows.add_row(*self._row(pillow))
        parts: list[RenderableType] = [self._headline(), self._rates(), Text(), pillows]
        if (more := self.plan.pillows - len(self._rows)) > 0:
            parts.append(Text(f"and {more:,} more", style="dim"))
        if self.faults:
            parts += [Text(), self._faults()]
        return Group(*parts)

    def _headline(self) -> Text:
        plan = self.plan
        line = Text()
        line.append(plan.name, style="bold")
        ends = f" of {_clock(plan.lasts_s)}" if plan.lasts_s is not None else ""
        hour = (plan.hour + self._virtual_s / 3600) % 24
        line.append(f" → {self.target}   {_clock(self._virtual_s)}{ends}   it is ")
        line.append(f"{int(hour):02}:{int(hour % 1 * 60):02}")
        if plan.speed != 1.0:
            line.append(f"   speed {plan.speed}")
        line.append("   seed ").append(str(plan.seed), style="bold")
        return line

    def _rates(self) -> Text:
        tally = self.tally
        asked, got = self.rates()
        line = Text(f"asked {asked:,.0f}/s  achieved {got:,.0f}/s  sent {tally.sent:,}")
        for word, number in (
            ("skipped", tally.skipped),
            ("failed", tally.failed),
            ("unsaid", tally.unsaid),
        ):
            if number:
                line.append(f"  {word} {number:,}", style="yellow")
        if tally.reasons:
            line.append(f"  dead letters to come {tally.reasons.total():,}", style="magenta")
        if tally.worst_late_s > 0.5:
            line.append(f"  up to {tally.worst_late_s:.1f} s late", style="yellow")
        return line

    def rates(self) -> tuple[float, float]:
        """Return how many messages a second were due and were taken, lately."""
        now_s = time.monotonic()
        self._marks.append((now_s, self.tally.asked, self.tally.sent))
        while now_s - self._marks[0][0] > _RATE_OVER_S and len(self._marks) > 2:
            self._marks.popleft()
        since_s = now_s - self._marks[0][0]
        if since_s <= 0:
            return 0.0, 0.0
        return (
            (self.tally.asked - self._marks[0][1]) / since_s,
            (self.tally.sent - self._marks[0][2]) / since_s,
        )

    def _row(self, pillow: str) -> tuple[RenderableType, ...]:
        item = self._newest.get(pillow)
        if self._links.get(pillow) == "down":
            return (pillow, Text("no network", style="dim"), "", "", "", "")
        if item is None or item.said is None:
            return (pillow, Text("not heard of yet", style="dim"), "", "", "", "")
        said = item.said
        look = STATES[said.state]
        return (
            pillow,
            Text(f"● {said.state}", style=look.color),
            f"{said.confidence:.2f}",
            Text(f"{said.battery:.0%}", style="red" if said.battery < 0.2 else ""),
            str(said.seq),
            Text(_sparkline(said.motion), style=look.color),
        )

    def _faults(self) -> Text:
        line = Text("faults  ", style="bold")
        for kind, number in self.faults.items():
            line.append(f"{kind} ", style="not bold").append(
                f"{number:,}   ", style="cyan not bold"
            )
        return line

    # For a log, and the end

    def facts(self) -> dict[str, Any]:
        """Return what is to be said of the run in one line."""
        tally = self.tally
        facts: dict[str, Any] = {
            "sent": tally.sent,
            "skipped": tally.skipped,
            "failed": tally.failed,
            "asked_per_s": round(tally.asked_per_s, 1),
            "achieved_per_s": round(tally.achieved_per_s, 1),
            "worst_late_s": round(tally.worst_late_s, 2),
        }
        if tally.unsaid:
            facts["unsaid"] = tally.unsaid
        if tally.reasons:
            facts["dead_letters"] = dict(sorted(tally.reasons.items()))
        if self.faults:
            facts["faults"] = {kind: number for kind, number in self.faults.items() if number}
        return facts

    def summary(self) -> RenderableType:
        """Return what is shown when it is over."""
        tally = self.tally
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(style="bold", justify="right")
        table.add_column()
        rate, asked = tally.achieved_per_s, tally.asked_per_s
        table.add_row("ran", f"{self.plan.name} for {_clock(tally.elapsed_s)}")
        table.add_row("sent", f"{tally.sent:,} messages, {rate:,.1f}/s of {asked:,.1f}/s asked")
        if tally.skipped or tally.failed or tally.unsaid:
            table.add_row(
                "missing",
                f"{tally.skipped:,} passed over because they were late, {tally.failed:,} not "
                f"taken, {tally.unsaid:,} replaced while their pillow had no connection",
            )
        if self._states:
            table.add_row(
                "states", ", ".join(f"{one} {n:,}" for one, n in self._states.most_common())
            )
        made = {kind: number for kind, number in self.faults.items() if number}
        if made:
            table.add_row("faults", ", ".join(f"{kind} {n:,}" for kind, n in made.items()))
        if tally.reasons:
            reasons = ", ".join(f"{one} {n:,}" for one, n in sorted(tally.reasons.items()))
            table.add_row("dead letters", reasons)
        table.add_row("again", repeat(self.plan))
        return table


def repeat(plan: Plan) -> str:
    """Return the command that gives the same run."""
    return f"simulator run {plan.name} --seed {plan.seed}{plan.asked}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _sparkline(motion: Sequence[tuple[float, float, float]]) -> str:
    """Draw the size of the forces of a window, 0 to 4 g, a character for each."""
    sizes = ((x * x + y * y + z * z) ** 0.5 for x, y, z in motion)
    return "".join(_BARS[min(8, max(1, round(size * 2)))] for size in sizes)
