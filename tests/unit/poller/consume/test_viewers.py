"""Whether somebody looks: what gateways say, in any order and with any bytes."""

import random

from hypothesis import given
from hypothesis import strategies as st

from contract.topics import OFFLINE, ONLINE
from contract.watching import encode_watching
from poller.consume.viewers import MAX_GATEWAYS, SAID_S, Gateways, Viewers

names = st.sampled_from(["one", "two", "three"])
numbers = st.integers(0, 3).map(encode_watching)
hostile = st.sampled_from([b"-1", b"1e400", b"9" * 30, b"many", b"", b"\xff", b"1.5"])
messages = st.lists(
    st.tuples(st.just("watching"), names, numbers | hostile)
    | st.tuples(st.just("status"), names, st.sampled_from([ONLINE, OFFLINE, b"", b"odd"])),
    max_size=20,
)


def make(*said: tuple[str, str, bytes]) -> Gateways:
    """Return what is known after some messages."""
    gateways = Gateways(lambda: 0.0)
    for kind, instance, payload in said:
        if kind == "watching":
            assert gateways.receive_watching(instance, payload)
        else:
            assert gateways.receive_status(instance, payload)
    return gateways


def test_nobody_has_said_anything_at_the_start() -> None:
    """No gateway may be there, or only one that does not say it."""
    assert Gateways(lambda: 0.0).viewers is Viewers.UNKNOWN
    assert make(("status", "old", ONLINE)).viewers is Viewers.UNKNOWN


def test_a_number_that_is_not_repeated_is_void() -> None:
    """A gateway and its broker were killed at once: there is no last will, and no such gateway."""
    now_s = 100.0
    gateways = Gateways(lambda: now_s)
    gateways.receive_status("killed", ONLINE)
    gateways.receive_watching("killed", b"3")
    now_s += SAID_S - 1
    gateways.receive_watching("other", b"2")
    assert (gateways.viewers, gateways.clients) == (Viewers.SOME, 5)

    now_s += 1
    assert (gateways.viewers, gateways.clients) == (Viewers.SOME, 2)

    now_s += SAID_S
    assert (gateways.viewers, gateways.clients) == (Viewers.NONE, 0)
    gateways.receive_watching("other", b"2")
    assert gateways.viewers is Viewers.SOME


def test_one_client_of_one_gateway_is_enough() -> None:
    """Whatever the others say, or do not say."""
    gateways = make(("watching", "one", b"0"), ("watching", "two", b"1"), ("status", "old", ONLINE))

    assert gateways.viewers is Viewers.SOME
    assert gateways.clients == 1


def test_nobody_looks_when_each_gateway_that_is_there_says_so() -> None:
    """One that does not say it may have clients."""
    said = (("status", "one", ONLINE), ("watching", "one", b"0"))

    assert make(*said).viewers is Viewers.NONE
    assert make(*said, ("status", "old", ONLINE)).viewers is Viewers.UNKNOWN
    assert make(*said, ("status", "old", OFFLINE)).viewers is Viewers.NONE


def test_a_gateway_that_is_offline_counts_as_none() -> None:
    """In either order, because the broker sends retained messages in any; until it is back."""
    status, watching = ("status", "one", OFFLINE), ("watching", "one", b"5")
    for said in ((status, watching), (watching, status)):
        gateways = make(*said)
        assert gateways.viewers is Viewers.NONE
        assert gateways.clients == 0

    gateways.receive_status("one", ONLINE)  # a late last will was contradicted

    assert gateways.clients == 5


def test_a_gateway_that_was_removed_from_the_broker_is_no_gateway() -> None:
    """Empty retained payloads remove what it said."""
    gateways = make(("watching", "one", b"0"), ("watching", "one", b""), ("status", "one", b""))

    assert gateways.viewers is Viewers.UNKNOWN


@given(messages, hostile)
def test_what_is_no_number_counts_as_absent(
    said: list[tuple[str, str, bytes]], payload: bytes
) -> None:
    """As if the gateway had said nothing."""
    with_it = make(*said, ("watching", "one", payload))
    without = make(*(one for one in said if one[:2] != ("watching", "one")))

    assert with_it.viewers is without.viewers
    assert with_it.clients == without.clients


@given(messages, st.randoms(use_true_random=False))
def test_the_last_word_of_each_topic_counts_in_any_order(
    said: list[tuple[str, str, bytes]], rng: random.Random
) -> None:
    """A broker sends what it retains in any order."""
    last = {(kind, instance): payload for kind, instance, payload in said}
    retained = [(kind, instance, payload) for (kind, instance), payload in last.items()]
    shuffled = sorted(retained, key=lambda _one: rng.random())

    assert make(*said).viewers is make(*shuffled).viewers
    assert make(*said).clients == make(*shuffled).clients


@given(messages)
def test_somebody_looks_exactly_if_the_numbers_say_so(
    said: list[tuple[str, str, bytes]],
) -> None:
    """And all is forgotten with the connection to the broker."""
    gateways = make(*said)
    assert (gateways.viewers is Viewers.SOME) == (gateways.clients > 0)

    gateways.forget()

    assert gateways.viewers is Viewers.UNKNOWN
    assert (gateways.clients, len(gateways)) == (0, 0)


def test_the_number_of_gateways_is_bounded() -> None:
    """One that is offline makes room; without one, a further gateway is not remembered."""
    gateways = make(*(("watching", f"g{number}", b"1") for number in range(MAX_GATEWAYS)))

    assert not gateways.receive_watching("more", b"1")
    assert not gateways.receive_status("more", OFFLINE)
    assert gateways.receive_watching("g0", b"2")
    assert (len(gateways), gateways.clients) == (MAX_GATEWAYS, MAX_GATEWAYS + 1)

    gateways.receive_status("g7", OFFLINE)

    assert gateways.receive_watching("more", b"1")
    assert (len(gateways), gateways.clients) == (MAX_GATEWAYS, MAX_GATEWAYS + 1)
