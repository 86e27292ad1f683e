"""Chance: the published numbers, the whole range, and streams that have nothing in common."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.chance import Chance, bits, key_of, share

keys = st.integers(0, 2**64 - 1)


def test_the_numbers_are_those_of_splitmix64() -> None:
    """The first five of seed 1234567, as published with the reference implementation."""
    assert [bits(1234567, index) for index in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_a_key_is_the_same_everywhere() -> None:
    """It is made by a hash that is defined to the last bit, not by Python's own."""
    assert key_of(7, "pillow", "cloud", 1) == 14838123897563474308


@given(key=keys, index=st.integers(0, 2**40))
def test_a_share_lies_between_nothing_and_all(key: int, index: int) -> None:
    """At least 0, below 1."""
    assert 0 <= share(key, index) < 1


@given(key=keys)
def test_drawing_is_counting(key: int) -> None:
    """The n-th number drawn is number n of the stream."""
    chance = Chance(key)

    assert [chance.draw() for _ in range(5)] == [share(key, index) for index in range(5)]


@given(seed=st.integers(0, 2**63), number=st.integers(1, 10**6))
def test_parts_do_not_run_together(seed: int, number: int) -> None:
    """Pillow 12 of `a-1` is not pillow 2 of `a-11`."""
    assert key_of(seed, "a", number) != key_of(seed, f"a{number}")
    assert key_of(seed, number, "a") != key_of(seed, "a", number)


def test_shares_are_even() -> None:
    """A tenth of them in each tenth, within three standard deviations."""
    counts = [0] * 10
    for index in range(10_000):
        counts[int(share(3, index) * 10)] += 1

    assert all(abs(count - 1000) < 90 for count in counts)


def test_a_pick_follows_the_odds() -> None:
    """Three to one."""
    chance = Chance(5)
    picked = [chance.pick((("often", 3), ("seldom", 1))) for _ in range(4000)]

    assert picked.count("often") == pytest.approx(3000, abs=90)
