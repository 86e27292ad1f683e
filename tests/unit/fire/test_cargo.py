"""The fire tests' messages: each is what it is taken for, or the ledger would judge wrongly."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.messages import ParsedMessage, Rejection, decode_message
from tests.fire.cargo import DEFAULT_PILLOW, PILLOWS, make_cargo
from tests.fire.ledger import Put
from tests.hypothesis_profiles import examples

NOW_US = 1_763_791_200_000_000
MINUTES_US = 30 * 60 * 1_000_000
"""How long after the cargo was made the last of it may be put."""

seeds = st.integers(0, 2**32)


@settings(max_examples=examples(25))
@given(seeds, st.integers(0, MINUTES_US))
def test_the_contract_reads_a_message_as_the_cargo_says(seed: int, late_us: int) -> None:
    """Pillow, state and order, whenever it is put; and nobody reads the unreadable."""
    inserted_us = (NOW_US + late_us) // 1_000_000 * 1_000_000
    for cargo in make_cargo(random.Random(seed), 200, now_us=NOW_US):
        said = decode_message(cargo.text, default_pillow=DEFAULT_PILLOW, queued_us=inserted_us)
        if cargo.pillow is None:
            assert isinstance(said, Rejection), cargo
        else:
            assert isinstance(said, ParsedMessage), (cargo, said)
            assert (said.pillow, said.state) == (cargo.pillow, cargo.state)
            assert said.order == Put(cargo, inserted_us).order


@given(seeds)
def test_a_seed_is_the_same_cargo_every_time(seed: int) -> None:
    """Text for text."""
    once, again = (make_cargo(random.Random(seed), 50, now_us=NOW_US) for _ in range(2))

    assert once == again


def test_there_are_tens_of_pillows_and_no_text_twice_that_must_be_told_apart() -> None:
    """Some of every kind, and a part that nothing may supersede."""
    cargo = make_cargo(random.Random(1), 5000, now_us=NOW_US)
    kinds = Counter(str(one.pillow).partition("-")[0] for one in cargo)
    shared = {one.pillow for one in cargo if not str(one.pillow).startswith("lone")}

    assert len(shared) == sum(PILLOWS.values()) + 2, "and the bare ones', and none"
    assert kinds["tied"] + kinds["lone"] > 1000
    numbered = [one.text for one in cargo if one.is_numbered or one.pillow is None]
    assert len(set(numbered)) == len(numbered)
