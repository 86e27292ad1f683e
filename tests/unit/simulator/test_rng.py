"""Random numbers: the published values, their range, and independent streams."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.rng import Rng, random_bits, random_unit, stream_key

keys = st.integers(0, 2**64 - 1)


def test_random_bits_are_those_of_the_splitmix64_reference() -> None:
    """The first five numbers of seed 1234567, as published with the reference implementation."""
    assert [random_bits(1234567, index) for index in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_a_stream_key_is_the_same_on_every_machine() -> None:
    """BLAKE2 is defined to the last bit; Python's own hash differs between processes."""
    assert stream_key(7, "pillow", "cloud", 1) == 14838123897563474308


@given(key=keys, index=st.integers(0, 2**40))
def test_random_unit_is_at_least_0_and_below_1(key: int, index: int) -> None:
    """For every key and index."""
    assert 0 <= random_unit(key, index) < 1


@given(key=keys)
def test_the_nth_number_of_an_rng_is_number_n_of_its_stream(key: int) -> None:
    """Sequential and random access agree."""
    rng = Rng(key)

    assert [rng.random() for _ in range(5)] == [random_unit(key, index) for index in range(5)]


@given(seed=st.integers(0, 2**63), number=st.integers(1, 10**6))
def test_a_stream_key_depends_on_where_its_parts_end(seed: int, number: int) -> None:
    """Pillow 12 of `a-1` has another stream than pillow 2 of `a-11`."""
    assert stream_key(seed, "a", number) != stream_key(seed, f"a{number}")
    assert stream_key(seed, number, "a") != stream_key(seed, "a", number)


def test_random_units_are_uniformly_distributed() -> None:
    """Each tenth holds a tenth of 10,000 numbers, within three standard deviations."""
    counts = [0] * 10
    for index in range(10_000):
        counts[int(random_unit(3, index) * 10)] += 1

    assert all(abs(count - 1000) < 90 for count in counts)


def test_a_weighted_choice_is_proportional_to_the_weights() -> None:
    """Three to one, within three standard deviations."""
    rng = Rng(5)
    choices = [rng.weighted_choice((("often", 3), ("seldom", 1))) for _ in range(4000)]

    assert choices.count("often") == pytest.approx(3000, abs=90)
