"""Lanes: order, and a bound for each destination."""

from hypothesis import given
from hypothesis import strategies as st

from notifier.outbox.delivery import Delivery
from notifier.outbox.lanes import Lanes
from tests.unit.notifier.examples import event

LIMIT = 3


@given(st.lists(st.tuples(st.sampled_from(["add", "remove"]), st.sampled_from("ab")), max_size=40))
def test_a_lane_keeps_the_latest_in_order(steps: list[tuple[str, str]]) -> None:
    """What has no place any more is the oldest, and the other lane does not matter."""
    lanes = Lanes("ab", LIMIT)
    model: dict[str, list[Delivery]] = {"a": [], "b": []}
    for number, (step, name) in enumerate(steps):
        if step == "add":
            delivery = Delivery(number, name, event(number=number), 0.0)
            model[name].append(delivery)
            displaced = lanes.add(delivery)
            assert displaced is (model[name].pop(0) if len(model[name]) > LIMIT else None)
        elif model[name]:
            first = lanes.first(name)
            assert first is not None
            assert lanes.remove(first)
            assert not lanes.remove(first)
            assert first is model[name].pop(0)
        for destination, waiting in model.items():
            assert lanes.count(destination) == len(waiting)
            assert lanes.first(destination) is (waiting[0] if waiting else None)
            assert all(one.key in lanes for one in waiting)
