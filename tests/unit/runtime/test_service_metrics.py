"""The base of the services' metrics."""

from prometheus_client import CollectorRegistry, generate_latest

from runtime.service_metrics import ServiceMetrics


def samples(metrics: ServiceMetrics) -> list[str]:
    """Return the samples of a scrape, without the times of creation."""
    lines = generate_latest(metrics.registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#") and "_created" not in line]


def test_a_counter_begins_with_0_for_each_known_combination_of_labels() -> None:
    """Those of a label whose values are not known begin with their first event."""
    metrics = ServiceMetrics("baker")
    metrics.counter("breads", "Breads.", kind=("rye", "oat"), size=("big",))
    metrics.counter("visits", "Visits.", day=())
    metrics.counter("fires", "Fires.").inc()

    assert samples(metrics) == [
        'pillowcast_baker_breads_total{kind="rye",size="big"} 0.0',
        'pillowcast_baker_breads_total{kind="oat",size="big"} 0.0',
        "pillowcast_baker_fires_total 1.0",
    ]


def test_parts_of_a_service_share_its_registry() -> None:
    """With the same prefix."""
    registry = CollectorRegistry()
    ServiceMetrics("baker", registry).gauge("ovens", "Ovens.").set(2)
    ServiceMetrics("baker", registry).gauge("heat", "Heat.", "oven").labels("left").set(3)

    assert samples(ServiceMetrics("baker", registry)) == [
        "pillowcast_baker_ovens 2.0",
        'pillowcast_baker_heat{oven="left"} 3.0',
    ]
