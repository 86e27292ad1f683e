"""docs/metrics.md lists the metrics that there are, and their names keep to the conventions."""

import re

import pytest
from prometheus_client import Metric

from devstack.metrics_reference import (
    PAGE,
    labels_of,
    name_of,
    reference,
    registries,
)

MAX_VALUES = 20
"""How many values a label may have; each is a time series of its own."""


def families() -> list[tuple[str, Metric]]:
    """Return every metric with its service."""
    return [
        (service, family)
        for service, registry in registries().items()
        for family in registry.collect()
    ]


FAMILIES = families()
IDS = [name_of(family) for _, family in FAMILIES]


def test_the_page_has_the_reference() -> None:
    """After a change of a metric: python -m devstack.metrics_reference."""
    assert PAGE.read_text(encoding="utf-8").endswith(reference())


def test_what_the_page_tells_of_a_metric_is_about_one_that_exists() -> None:
    """Its names with a service are those of the reference; the others are of the same service."""
    text = PAGE.read_text(encoding="utf-8").partition("## Reference")[0]
    known = {*IDS, *(f"{name}_{part}" for name in IDS for part in ("bucket", "count", "sum"))}

    for name in re.findall(
        r"(?:pillowcast_(?:poller|gateway|notifier|simulator)|process)_\w+", text
    ):
        assert name in known, name
    for name in re.findall(r"`([a-z]\w+_\w+)", text):
        assert any(one.endswith(name) for one in known), name


@pytest.mark.parametrize(("service", "family"), FAMILIES, ids=IDS)
def test_a_metric_keeps_to_the_conventions(service: str, family: Metric) -> None:
    """A prefix, base units at the end, and a sentence that says what it is."""
    name = name_of(family)
    assert name.startswith((f"pillowcast_{service}_", "process_"))
    assert not re.search(r"_(ms|millis|milliseconds|minutes|mb|mib|kb|percent)(_|$)", name)
    assert re.match(r"[A-Z01].*\.$", family.documentation), family.documentation
    assert (family.type == "counter") == name.endswith("_total")
    if family.type == "histogram" and not name.endswith("_attempts"):
        assert name.endswith("_seconds")


@pytest.mark.parametrize(("service", "family"), FAMILIES, ids=IDS)
def test_a_label_has_few_values_which_are_known(service: str, family: Metric) -> None:
    """Nothing that comes from outside becomes a time series."""
    del service
    for label, values in labels_of(family).items():
        assert label in {
            "code", "destination", "effect", "found", "kind", "limit", "operation", "outcome",
            "python", "reason",
            "recovered", "rule", "source", "stage", "transport", "version",
        }  # fmt: skip
        assert 0 < len(values) <= MAX_VALUES


@pytest.mark.parametrize(("service", "family"), FAMILIES, ids=IDS)
def test_a_counter_begins_with_0(service: str, family: Metric) -> None:
    """A rule sees no increase of one that appears with its first event."""
    del service
    if family.type == "counter" and not name_of(family).startswith("process_"):
        assert [sample.value for sample in family.samples] == [0] * len(family.samples)
        assert family.samples
