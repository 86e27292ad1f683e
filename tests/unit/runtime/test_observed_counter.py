"""A counter that is read at each scrape."""

from prometheus_client import CollectorRegistry

from runtime.observed_counter import ObservedCounter, ObservedCounters


def test_each_scrape_has_the_value_of_that_moment() -> None:
    """With the suffix of a counter."""
    registry, values = CollectorRegistry(), [0]
    ObservedCounter("messages", "Messages.", lambda: values[-1], registry)
    assert registry.get_sample_value("messages_total") == 0
    values.append(3)

    assert registry.get_sample_value("messages_total") == 3


def test_a_counter_with_a_label_has_each_value_of_it() -> None:
    """As they are at the scrape."""
    registry, values = CollectorRegistry(), {"lost": 0, "late": 2}
    ObservedCounters("messages", "Messages.", "reason", lambda: values, registry)
    values["lost"] = 4

    assert registry.get_sample_value("messages_total", {"reason": "lost"}) == 4
    assert registry.get_sample_value("messages_total", {"reason": "late"}) == 2
