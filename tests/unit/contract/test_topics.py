"""Topics: what is published where is found again, and two deployments never meet."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contract.topics import (
    PillowTopic,
    Topics,
    find_invalid_pillow_id,
    is_instance_name,
    is_pillow_id,
    is_topic_prefix,
)
from tests.unit.contract.strategies import any_text, pillow_ids

prefixes = st.from_regex(r"[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,2}", fullmatch=True)


@given(prefixes, pillow_ids)
def test_parsing_a_topic_is_the_inverse_of_building_it(prefix: str, pillow: str) -> None:
    """State and availability."""
    topics = Topics(prefix)

    assert topics.parse(topics.state(pillow)) == PillowTopic(pillow, "state")
    assert topics.parse(topics.availability(pillow)) == PillowTopic(pillow, "availability")


@given(prefixes, prefixes, pillow_ids)
def test_topics_of_another_prefix_are_none(one: str, other: str, pillow: str) -> None:
    """Also if one prefix begins with the other."""
    assume(one != other)

    assert Topics(one).parse(Topics(other).state(pillow)) is None


@given(st.lists(pillow_ids | any_text | st.lists(pillow_ids, max_size=3).map("\n".join)))
def test_the_invalid_one_of_many_names_is_the_first_that_is_no_id(names: list[str]) -> None:
    """However names contain line ends, between which each part may be an id."""
    expected = next((name for name in names if not is_pillow_id(name)), None)

    assert find_invalid_pillow_id(names) == expected


def test_the_name_of_the_services_level_is_invalid_among_others() -> None:
    """It has the form of an id."""
    assert find_invalid_pillow_id(["cloud-1", "bridge", "cloud-2"]) == "bridge"


@given(prefixes, pillow_ids)
def test_topics_of_services_belong_to_no_pillow(prefix: str, name: str) -> None:
    """Status and dead letters are below `bridge`."""
    topics = Topics(prefix)

    assert topics.parse(topics.status("poller", name)) is None
    assert topics.parse(topics.mark("poller", name)) is None
    assert topics.parse(topics.dead_letter(name)) is None
    assert topics.parse(f"{prefix}/bridge/state") is None


@given(prefixes, pillow_ids)
def test_a_gateways_topics_lead_back_to_its_instance(prefix: str, name: str) -> None:
    """Status and number of clients; those of others are none."""
    topics = Topics(prefix)

    assert topics.parse_gateway(topics.watching(name)) == ("watching", name)
    assert topics.parse_gateway(topics.status("gateway", name)) == ("status", name)
    assert topics.parse_gateway(topics.status("poller", name)) is None
    assert topics.parse_gateway(topics.mark("gateway", name)) is None
    assert topics.parse_gateway(topics.wake) is None
    assert topics.parse_gateway(topics.watching(name.upper() + "_")) is None
    assert topics.parse(topics.watching(name)) is None
    assert topics.parse(topics.wake) is None


@given(any_text | any_text.map("pillow/bridge/gateway/{}/watching".format))
def test_any_topic_gives_a_gateway_or_none(topic: str) -> None:
    """Never an exception; a gateway leads back to the topic."""
    found = Topics("pillow").parse_gateway(topic)

    if found is not None:
        assert topic == f"pillow/bridge/gateway/{found[1]}/{found[0]}"


@given(any_text | any_text.map("pillow/{}/state".format))
def test_any_topic_gives_a_pillow_or_none(topic: str) -> None:
    """Never an exception; a pillow leads back to the topic."""
    topics = Topics("pillow")
    about = topics.parse(topic)

    if about is not None:
        assert topic == f"pillow/{about.pillow}/{about.kind}"


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "pillow",
        "pillow/cloud-1",
        "pillow/cloud-1/colour",
        "pillow/cloud-1/state/",
        "/pillow/cloud-1/state",
        "pillow//state",
        "pillow/#/state",
        "pillow/+/state",
        "pillow/Cloud/state",
        "other/cloud-1/state",
        "home/pillow/cloud-1/state",
    ],
)
def test_a_topic_with_a_wrong_level_is_none(topic: str) -> None:
    """One level too many, one too few, or a wrong one."""
    assert Topics("pillow").parse(topic) is None


def test_the_topics_are_those_of_the_design() -> None:
    """People subscribe to them by hand."""
    topics = Topics("pillow")

    assert topics.state("cloud-1") == "pillow/cloud-1/state"
    assert topics.availability("cloud-1") == "pillow/cloud-1/availability"
    assert topics.status("gateway", "web-1") == "pillow/bridge/gateway/web-1/status"
    assert topics.mark("gateway", "web-1") == "pillow/bridge/gateway/web-1/mark"
    assert topics.dead_letter("box") == "pillow/bridge/poller/box/dead-letter"
    assert (topics.all_states, topics.all_availability) == (
        "pillow/+/state",
        "pillow/+/availability",
    )


@pytest.mark.parametrize("text", ["a", "0", "cloud-1", "a" * 63, "0--", "bridges"])
def test_a_valid_pillow_id_is_accepted(text: str) -> None:
    """Lower case, digits and hyphens, at most 63."""
    assert is_pillow_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-a",
        "A",
        "a" * 64,
        "bridge",
        "../../x",
        "#",
        "+",
        "a/b",
        "a\n",
        "é",
        "٣",
        None,
        7,
        ["a"],
    ],
)
def test_an_invalid_pillow_id_is_refused(text: object) -> None:
    """Whatever its type."""
    assert not is_pillow_id(text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("host-1", True), ("bridge", True), ("", False), ("A", False), ("a/b", False)],
)
def test_an_instance_name_follows_the_rule_of_pillow_ids(name: str, expected: bool) -> None:
    """Only `bridge` is allowed too."""
    assert is_instance_name(name) == expected


@pytest.mark.parametrize("prefix", ["pillow", "home/pillow", "a/b/c", "Pillow 2", "é", "x" * 200])
def test_a_valid_prefix_is_accepted(prefix: str) -> None:
    """One or more levels."""
    assert is_topic_prefix(prefix)


@pytest.mark.parametrize(
    "prefix", ["", "#", "+", "a/#", "a+", "/a", "a/", "a//b", "$SYS", "a\x00", "a\n", "x" * 201]
)
def test_an_invalid_prefix_is_refused(prefix: str) -> None:
    """With a wildcard, an empty level, a leading `$`, or a control character."""
    assert not is_topic_prefix(prefix)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (Topics("home/pillow").saved("host-1", "0a1f"), True),
        (Topics("home/pillow").all_saved, False),
        (Topics("home/pillow").status("poller", "host-1"), False),
        (Topics("pillow").saved("host-1", "0a1f"), False),
        ("home/pillow/bridge/poller/host-1/saved", False),
        ("home/pillow/bridge/poller/saved/0a1f", False),
        ("home/pillow/bridge/poller/a/b/saved/0a1f", False),
        ("home/pillow/bridge/poller/a/saved/b/c", False),
    ],
)
def test_the_topic_of_a_save_mark_is_known(topic: str, expected: bool) -> None:
    """Whichever poller's it is."""
    assert Topics("home/pillow").is_saved(topic) == expected


@given(prefixes, pillow_ids)
def test_a_pollers_topics_lead_back_to_its_instance(prefix: str, name: str) -> None:
    """Status, dead letters and queue; those of others are none."""
    topics = Topics(prefix)

    assert topics.parse_poller(topics.status("poller", name)) == ("status", name)
    assert topics.parse_poller(topics.dead_letter(name)) == ("dead-letter", name)
    assert topics.parse_poller(topics.queue(name)) == ("queue", name)
    assert topics.parse_poller(topics.status("gateway", name)) is None
    assert topics.parse_poller(topics.mark("poller", name)) is None
    assert topics.parse_poller(topics.saved(name, "queue")) is None
    assert topics.parse_poller(topics.wake) is None
    assert topics.parse(topics.queue(name)) is None
