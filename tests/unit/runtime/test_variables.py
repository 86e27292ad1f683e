"""Values in the environment: what is around one is removed, and what Kubernetes set is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.variables import cleaned, is_service_link

AROUND = st.lists(st.sampled_from([" ", "\n", "\r", "\t", "\r\n", "'", '"', "\ufeff"]), max_size=4)


@given(st.from_regex(r"[a-z0-9:/=;%.+]{1,20}", fullmatch=True), AROUND)
def test_what_is_around_a_value_is_removed(value: str, around: list[str]) -> None:
    """In whatever order blanks and quotes were put around it."""
    text = value
    for one in around:
        text = f"{one}{text}{one}" if one in "'\"" else f"{text}{one}"
    text = text.replace("\ufeff", "")

    assert cleaned(text) == cleaned(cleaned(text)) == value
    assert cleaned("\ufeff" + value) == value


@pytest.mark.parametrize("text", ["a b", "it's", '"a', "a'", "a\nb", ""])
def test_what_is_inside_a_value_stays(text: str) -> None:
    """A quote on one side belongs to it."""
    assert cleaned(text) == text


@pytest.mark.parametrize(
    ("name", "value", "is_link"),
    [
        ("GATEWAY_PORT", "tcp://10.96.0.10:8080", True),
        ("POLLER_PORT", "udp://[fd00::1]:8081", True),
        ("GATEWAY_PORT", "8080", False),
        ("GATEWAY_PORT", "tcp://10.96.0.10", False),
        ("MQTT_URL", "tcp://broker:1883", False),
    ],
)
def test_a_service_link_is_a_port_with_an_address(name: str, value: str, is_link: bool) -> None:
    """No operator writes a port like that."""
    assert is_service_link(name, value) == is_link
