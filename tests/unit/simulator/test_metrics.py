"""The metrics of a run are its figures at the time of the scrape."""

from collections import Counter

from simulator.metrics import simulator_metrics
from simulator.sender import SendStats


def test_a_scrape_has_the_figures_of_that_moment() -> None:
    """Each with every value of its label."""
    stats, faults = SendStats(), Counter({"loss": 0})
    value = simulator_metrics(3, stats, faults).get_sample_value
    assert value("pillowcast_simulator_pillows") == 3
    for outcome in ("sent", "skipped", "failed", "replaced"):
        assert value("pillowcast_simulator_messages_total", {"outcome": outcome}) == 0

    stats.sent, stats.skipped, stats.max_late_s = 7, 2, 0.5
    stats.rejections["malformed"] += 1
    faults["loss"] += 4

    assert value("pillowcast_simulator_messages_total", {"outcome": "sent"}) == 7
    assert value("pillowcast_simulator_messages_total", {"outcome": "skipped"}) == 2
    assert value("pillowcast_simulator_max_late_seconds") == 0.5
    assert value("pillowcast_simulator_faults_total", {"kind": "loss"}) == 4
    assert value("pillowcast_simulator_faults_total", {"kind": "delay"}) == 0
    reasons = "pillowcast_simulator_expected_dead_letters_total"
    assert value(reasons, {"reason": "malformed"}) == 1
    assert value(reasons, {"reason": "bad-id"}) == 0
