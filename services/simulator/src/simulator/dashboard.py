"""The dashboard: the progress of a run as a live table, as one log line, and as a summary.

It receives what was sent. It counts no messages itself, because `SendStats` and `FaultInjector` do.
"""

import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contract.states import STATES
from simulator.model.fleet import pillow_id
from simulator.scenario.plan import Plan
from simulator.sender import SendStats
from simulator.stream.items import StreamItem

MAX_ROWS: Final = 12
"""Number of pillows in the table; of the others only the number is shown."""

_RATE_WINDOW_S: Final = 5.0
_BARS: Final = " ▁▂▃▄▅▆▇█"


class Dashboard:
    """The progress of one run."""

    def __init__(
        self, plan: Plan, target: str, stats: SendStats, fault_counts: Counter[str]
    ) -> None:
        self._plan, self._target = plan, target
        self._stats, self._fault_counts = stats, fault_counts
        self._state_counts: Counter[str] = Counter()
        self._newest: dict[str, StreamItem] = {}
        self._disconnected: set[str] = set()
        self._stream_s = 0.0
        self._rate_samples: deque[tuple[float, int, int]] = deque()
        self._rows: list[str] = []
        for group, count in plan.groups:
            free = max(0, MAX_ROWS - len(self._rows))
            self._rows += [
                pillow_id(group.name, number) for number in range(1, min(count, free) + 1)
            ]

    def batch_sent(self, batch: Sequence[StreamItem]) -> None:
        """Record an accepted batch."""
        for item in batch:
            if item.report is not None:
                self._state_counts[item.report.state] += 1
            if item.pillow in self._rows:
                self._newest[item.pillow] = item
        self._stream_s = max(self._stream_s, batch[-1].due_s)

    def network_changed(self, item: StreamItem) -> None:
        """Record a change of a pillow's network."""
        if item.network == "down":
            self._disconnected.add(item.pillow)
        else:
            self._disconnected.discard(item.pillow)

    # The live table

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
        parts: list[RenderableType] = [self._headline(), self._rate_line(), Text(), pillows]
        if (more := self._plan.pillow_count - len(self._rows)) > 0:
            parts.append(Text(f"and {more:,} more", style="dim"))
        if self._fault_counts:
            parts += [Text(), self._fault_line()]
        return Group(*parts)

    def _headline(self) -> Text:
        plan = self._plan
        line = Text()
        line.append(plan.name, style="bold")
        ends = f" of {_clock(plan.lasts_s)}" if plan.lasts_s is not None else ""
        hour = (plan.start_hour + self._stream_s / 3600) % 24
        line.append(f" → {self._target}   {_clock(self._stream_s)}{ends}   it is ")
        line.append(f"{int(hour):02}:{int(hour % 1 * 60):02}")
        if plan.speed != 1.0:
            line.append(f"   speed {plan.speed}")
        line.append("   seed ").append(str(plan.seed), style="bold")
        return line

    def _rate_line(self) -> Text:
        stats = self._stats
        requested, achieved = self._rates()
        line = Text(
            f"requested {requested:,.0f}/s  achieved {achieved:,.0f}/s  sent {stats.sent:,}"
        )
        for word, number in (
            ("skipped", stats.skipped),
            ("failed", stats.failed),
            ("replaced", stats.replaced),
        ):
            if number:
                line.append(f"  {word} {number:,}", style="yellow")
        if stats.rejections:
            line.append(f"  expected dead letters {stats.rejections.total():,}", style="magenta")
        if stats.max_late_s > 0.5:
            line.append(f"  up to {stats.max_late_s:.1f} s late", style="yellow")
        return line

    def _rates(self) -> tuple[float, float]:
        """Return how many messages a second were due and were sent in the last seconds."""
        now_s = time.monotonic()
        self._rate_samples.append((now_s, self._stats.requested, self._stats.sent))
        while now_s - self._rate_samples[0][0] > _RATE_WINDOW_S and len(self._rate_samples) > 2:
            self._rate_samples.popleft()
        first_s, first_requested, first_sent = self._rate_samples[0]
        since_s = now_s - first_s
        if since_s <= 0:
            return 0.0, 0.0
        return (
            (self._stats.requested - first_requested) / since_s,
            (self._stats.sent - first_sent) / since_s,
        )

    def _row(self, pillow: str) -> tuple[RenderableType, ...]:
        item = self._newest.get(pillow)
        if pillow in self._disconnected:
            return (pillow, Text("no network", style="dim"), "", "", "", "")
        if item is None or item.report is None:
            return (pillow, Text("nothing sent yet", style="dim"), "", "", "", "")
        report = item.report
        style = STATES[report.state].color
        return (
            pillow,
            Text(f"● {report.state}", style=style),
            f"{report.confidence:.2f}",
            Text(f"{report.battery:.0%}", style="red" if report.battery < 0.2 else ""),
            str(report.seq),
            Text(_sparkline(report.motion), style=style),
        )

    def _fault_line(self) -> Text:
        line = Text("faults  ", style="bold")
        for kind, number in self._fault_counts.items():
            line.append(f"{kind} ", style="not bold").append(
                f"{number:,}   ", style="cyan not bold"
            )
        return line

    # The log line and the summary

    def facts(self) -> dict[str, Any]:
        """Return the results as the fields of a log line."""
        stats = self._stats
        facts: dict[str, Any] = {
            "sent": stats.sent,
            "skipped": stats.skipped,
            "failed": stats.failed,
            "requested_per_s": round(stats.requested_per_s, 1),
            "achieved_per_s": round(stats.achieved_per_s, 1),
            "max_late_s": round(stats.max_late_s, 2),
        }
        if stats.replaced:
            facts["replaced"] = stats.replaced
        if stats.rejections:
            facts["dead_letters"] = dict(sorted(stats.rejections.items()))
        if self._fault_counts:
            facts["faults"] = {kind: n for kind, n in self._fault_counts.items() if n}
        return facts

    def summary(self) -> RenderableType:
        """Return the summary that is shown at the end."""
        stats = self._stats
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(style="bold", justify="right")
        table.add_column()
        table.add_row("ran", f"{self._plan.name} for {_clock(stats.elapsed_s)}")
        table.add_row(
            "sent",
            f"{stats.sent:,} messages, {stats.achieved_per_s:,.1f}/s of "
            f"{stats.requested_per_s:,.1f}/s requested",
        )
        if stats.skipped or stats.failed or stats.replaced:
            table.add_row(
                "missing",
                f"{stats.skipped:,} skipped because they were late, {stats.failed:,} not accepted, "
                f"{stats.replaced:,} replaced while their pillow had no connection",
            )
        if self._state_counts:
            table.add_row("states", _counts(dict(self._state_counts.most_common())))
        if faults := {kind: number for kind, number in self._fault_counts.items() if number}:
            table.add_row("faults", _counts(faults))
        if stats.rejections:
            table.add_row("dead letters", _counts(dict(sorted(stats.rejections.items()))))
        table.add_row("repeat", repeat_command(self._plan))
        return table


def repeat_command(plan: Plan) -> str:
    """Return the command that repeats the run."""
    return f"simulator run {plan.name} --seed {plan.seed}{plan.options}"


def _counts(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items())


def _clock(seconds: float) -> str:
    """Return a duration like 1:05 or 2:01:05."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _sparkline(motion: Sequence[tuple[float, float, float]]) -> str:
    """Return one bar for the magnitude of each sample, from 0 to 4 g."""
    sizes = ((x * x + y * y + z * z) ** 0.5 for x, y, z in motion)
    return "".join(_BARS[min(8, max(1, round(size * 2)))] for size in sizes)
