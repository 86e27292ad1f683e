"""What pollers say to each other: read as it was written, and nothing else is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.poller_roles import (
    MAX_TERM,
    PollerRole,
    RoleMessage,
    decode_role,
    encode_role,
    queue_level,
)
from contract.topics import Topics, is_instance_name

messages = st.builds(
    RoleMessage,
    poller=st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True),
    role=st.sampled_from(PollerRole),
    term=st.integers(0, MAX_TERM),
    process=st.from_regex(r"[0-9a-f]{1,32}", fullmatch=True),
    works=st.booleans(),
)


@given(messages)
def test_a_message_is_read_as_it_was_written(message: RoleMessage) -> None:
    """Also one whose poller has a long name."""
    assert decode_role(encode_role(message)) == message


def test_a_person_can_read_it() -> None:
    """`mosquitto_sub` shows it."""
    message = RoleMessage("box-1", PollerRole.ACTIVE, 3, "0a1f")

    assert encode_role(message) == (
        b'{"poller":"box-1","role":"active","term":3,"process":"0a1f","works":true}'
    )


GOOD = b'{"poller":"box-1","role":"active","term":3,"process":"0a1f","works":true}'


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"{}", b"null", b"[]", b"\xff", b"online", GOOD[:-1], GOOD + b" " * 1024),
        GOOD.replace(b"active", b"chief"),
        GOOD.replace(b"box-1", b"a/b"),
        GOOD.replace(b"box-1", b"x" * 64),
        GOOD.replace(b"0a1f", b"other"),
        GOOD.replace(b"0a1f", b"0" * 33),
        GOOD.replace(b":3", b":-1"),
        GOOD.replace(b":3", b":9007199254740992"),
        GOOD.replace(b":3", b':"3"'),
        GOOD.replace(b"true", b"1"),
    ],
)
def test_anything_else_is_no_message(payload: bytes) -> None:
    """A field of another type, out of range, or missing."""
    assert decode_role(GOOD) is not None
    assert decode_role(payload) is None


@given(st.binary(max_size=64))
def test_any_bytes_are_a_message_or_none(payload: bytes) -> None:
    """Never an exception."""
    assert decode_role(payload) is None or payload


@given(messages, messages)
def test_of_two_messages_of_different_processes_one_has_the_larger_rank(
    one: RoleMessage, other: RoleMessage
) -> None:
    """So that both pollers agree which of them is active."""
    if one.process != other.process:
        assert (one.rank > other.rank) != (other.rank > one.rank)


def test_queues_of_one_name_in_two_accounts_have_two_topics() -> None:
    """Their pollers have nothing to agree on."""
    one, other = queue_level("account", "pillow-state"), queue_level("other", "pillow-state")

    assert one != other
    assert one.startswith("pillow-state-")
    assert is_instance_name(one[:63])
    assert Topics("home").poller_roles(one) == f"home/bridge/poller/active/{one}"
