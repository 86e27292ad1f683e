"""The dashboard: the table, the summary and the log line show what happened, at every width."""

from collections import Counter
from io import StringIO

import pytest
from rich.console import Console, RenderableType

from simulator.dashboard import MAX_ROWS, Dashboard
from simulator.sender import SendStats
from simulator.stream.items import StreamItem
from tests.unit.simulator.plans import items, plan_of


def rendered(renderable: RenderableType, width: int = 100) -> str:
    """Return what a terminal of this width shows."""
    out = StringIO()
    Console(file=out, width=width, color_system=None).print(renderable)
    return out.getvalue()


@pytest.fixture
def dashboard() -> Dashboard:
    """The dashboard of twenty pillows, each of which has sent one report."""
    plan = plan_of('lasts = "1m"\n[[pillows]]\ncount = 20\n[[faults]]\nkind = "loss"\nrate = 0\n')
    stats = SendStats(sent=1234, skipped=5, max_late_s=2.5, elapsed_s=10)
    stats.rejections["bad-id"] = 3
    dashboard = Dashboard(plan, "mqtt", stats, Counter({"loss": 7, "delay": 0}))
    dashboard.batch_sent(items(plan, 25)[0])
    return dashboard


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_shows_pillows_rates_faults_and_seed(dashboard: Dashboard, width: int) -> None:
    """On a terminal of 60 columns as well."""
    text = rendered(dashboard.table(), width)

    for part in ("cloud-1 ", f"cloud-{MAX_ROWS}", "and 8 more", "neutral", "seed 7", "loss 7"):
        assert part in text
    assert "1,234" in text
    assert "skipped 5" in text


def test_the_table_shows_which_pillow_has_no_network(dashboard: Dashboard) -> None:
    """Until the network is back."""
    dashboard.network_changed(StreamItem(1, "cloud-2", network="down"))
    assert "no network" in rendered(dashboard.table())

    dashboard.network_changed(StreamItem(2, "cloud-2", network="up"))
    assert "no network" not in rendered(dashboard.table())


def test_the_summary_has_both_rates_and_the_command_that_repeats_the_run(
    dashboard: Dashboard,
) -> None:
    """And the skipped messages and expected dead letters."""
    text = rendered(dashboard.summary())

    assert "1,234 messages, 123.4/s of 123.9/s requested" in text
    assert "5 skipped because they were late" in text
    assert "bad-id 3" in text
    assert "simulator run test.toml --seed 7" in text


def test_the_log_line_has_the_facts_of_the_summary_as_fields(dashboard: Dashboard) -> None:
    """Faults that did not occur are left out."""
    assert dashboard.facts() == {
        "sent": 1234,
        "skipped": 5,
        "failed": 0,
        "requested_per_s": 123.9,
        "achieved_per_s": 123.4,
        "max_late_s": 2.5,
        "dead_letters": {"bad-id": 3},
        "faults": {"loss": 7},
    }
