"""Discovery messages against a schema written from Home Assistant's documentation.

Source: https://www.home-assistant.io/integrations/mqtt/ (device discovery, sensor, binary sensor),
and `homeassistant/components/mqtt/schemas.py` of Home Assistant 2025.4, which accepts the same.
"""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.home_assistant import DiscoveryTopics, Facts
from contract.states import STATES
from contract.topics import Topics, is_topic_prefix
from tests.unit.contract.strategies import pillow_ids

TOPIC = re.compile(
    r"(?P<prefix>.+)/(?P<component>\w+)/(?:(?P<node>[a-zA-Z0-9_-]+)/)?"
    r"(?P<object>[a-zA-Z0-9_-]+)/config"
)
"""What Home Assistant recognises as the topic of a discovery message."""

COMPONENT = {"platform", "unique_id", "name", "device_class", "entity_category", "icon"}
KEYS = {
    "sensor": COMPONENT
    | {"options", "value_template", "availability_topic", "expire_after"}
    | {"state_class", "unit_of_measurement"},
    "binary_sensor": COMPONENT | {"state_topic", "payload_on", "payload_off"},
}
REQUIRED = {"platform", "unique_id"}

facts = st.builds(Facts, st.booleans(), st.booleans(), st.none() | st.integers(1, 10_000))
prefixes = st.text(min_size=1, max_size=40).filter(is_topic_prefix) | st.sampled_from(
    ["pillow", "ward/7", 'it\'s "mine"', "a_b", "a.b"]
)


def check(message: dict[str, Any]) -> None:
    """Assert that a message is one that Home Assistant accepts."""
    assert message.keys() <= {"device", "origin", "components", "state_topic", "qos"}
    assert message["device"]["identifiers"]
    assert message["device"].keys() <= {"identifiers", "name", "manufacturer", "model"}
    assert message["origin"].keys() <= {"name", "sw_version"}
    assert message["origin"]["name"]
    assert message["qos"] in (0, 1, 2)
    for component in message["components"].values():
        assert component.keys() >= REQUIRED
        assert component.keys() <= KEYS[component["platform"]]
        if component["device_class"] == "enum":
            assert component["options"]
            assert "state_class" not in component
            assert "unit_of_measurement" not in component


@given(prefixes, pillow_ids, facts)
def test_a_message_is_one_that_home_assistant_accepts(
    prefix: str, pillow: str, given: Facts
) -> None:
    """Whatever the topic prefix is made of."""
    topics = DiscoveryTopics("homeassistant", Topics(prefix))

    message = json.loads(topics.encode(pillow, given, "0.1.0"))
    match = TOPIC.fullmatch(topics.config(pillow))

    check(message)
    assert match is not None
    assert match["component"] == "device"
    assert topics.parse_config(topics.config(pillow)) == pillow
    assert message["components"].keys() == {
        "state",
        *(["battery"] if given.has_battery else []),
        *(["availability"] if given.has_availability else []),
    }


@given(st.lists(st.tuples(prefixes, pillow_ids), min_size=2, max_size=2, unique=True))
def test_no_two_pillows_of_any_deployments_have_a_topic_or_an_id_in_common(
    given: list[tuple[str, str]],
) -> None:
    """Two deployments may share a broker."""
    topics, ids = set(), []
    for prefix, pillow in given:
        one = DiscoveryTopics("homeassistant", Topics(prefix))
        message = json.loads(one.encode(pillow, Facts(True, True), "0.1.0"))
        topics.add(one.config(pillow))
        ids += [part["unique_id"] for part in message["components"].values()]
        ids += message["device"]["identifiers"]

    assert len(topics) == 2
    assert len(set(ids)) == len(ids)


def test_an_id_does_not_depend_on_where_a_name_ends() -> None:
    """`a-b` and `c` are not `a` and `b-c`."""
    first, second = (
        DiscoveryTopics("homeassistant", Topics(prefix)).encode(pillow, Facts(), "1")
        for prefix, pillow in (("a-b", "c"), ("a", "b-c"))
    )

    assert json.loads(first)["device"]["identifiers"] == ["pillowcast-a-b_c"]
    assert json.loads(second)["device"]["identifiers"] == ["pillowcast-a_b-c"]


def test_the_values_are_those_of_the_state_and_of_the_availability() -> None:
    """As documented for people who write automations."""
    topics = DiscoveryTopics("homeassistant", Topics("pillow"))
    message = json.loads(topics.encode("cloud-1", Facts(True, True, 120), "0.1.0"))

    parts = message["components"]
    assert message["state_topic"] == "pillow/cloud-1/state"
    assert parts["state"]["options"] == list(STATES)
    assert parts["state"]["availability_topic"] == "pillow/cloud-1/availability"
    assert parts["state"]["expire_after"] == 120
    assert parts["battery"]["unit_of_measurement"] == "%"
    assert parts["availability"]["state_topic"] == "pillow/cloud-1/availability"


@pytest.mark.parametrize(
    "topic",
    [
        "homeassistant/device/other/cloud-1/config",
        "homeassistant/device/pillowcast-pillow/Cloud/config",
        "homeassistant/device/pillowcast-pillow/cloud-1/state",
        "homeassistant/device/pillowcast-pillow/config",
        "config",
    ],
)
def test_a_topic_of_somebody_else_is_none_of_ours(topic: str) -> None:
    """Home Assistant's prefix has the messages of everything that it knows."""
    topics = DiscoveryTopics("homeassistant", Topics("pillow"))

    assert topics.parse_config(topic) is None
    assert topics.all_configs == "homeassistant/device/pillowcast-pillow/+/config"
    assert topics.status == "homeassistant/status"
