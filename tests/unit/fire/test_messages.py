"""The planned messages of the fire tests: the audit depends on their pillow, state and order."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.messages import ParsedMessage, Rejection, decode_message
from tests.fire.audit import Put
from tests.fire.messages import DEFAULT_PILLOW, PILLOWS, plan_messages
from tests.hypothesis_profiles import examples

NOW_US = 1_763_791_200_000_000
MINUTES_US = 30 * 60 * 1_000_000
"""How long after the planning a message may be put."""

seeds = st.integers(0, 2**32)


@settings(max_examples=examples(25))
@given(seeds, st.integers(0, MINUTES_US))
def test_a_message_decodes_to_its_planned_pillow_state_and_order(seed: int, late_us: int) -> None:
    """Whenever it is put; an invalid one is rejected."""
    inserted_us = (NOW_US + late_us) // 1_000_000 * 1_000_000
    for planned in plan_messages(random.Random(seed), 200, now_us=NOW_US):
        said = decode_message(planned.text, default_pillow=DEFAULT_PILLOW, queued_us=inserted_us)
        if planned.pillow is None:
            assert isinstance(said, Rejection), planned
        else:
            assert isinstance(said, ParsedMessage), (planned, said)
            assert (said.pillow, said.state) == (planned.pillow, planned.state)
            assert said.order == Put(planned, inserted_us).order


@given(seeds)
def test_a_seed_always_gives_the_same_messages(seed: int) -> None:
    """Byte for byte."""
    once, again = (plan_messages(random.Random(seed), 50, now_us=NOW_US) for _ in range(2))

    assert once == again


def test_the_numbered_and_the_invalid_texts_are_unique() -> None:
    """There are pillows of every kind, and many states that cannot be superseded."""
    planned = plan_messages(random.Random(1), 5000, now_us=NOW_US)
    kinds = Counter(str(one.pillow).partition("-")[0] for one in planned)
    shared = {one.pillow for one in planned if not str(one.pillow).startswith("lone")}

    assert len(shared) == sum(PILLOWS.values()) + 2, "and the default pillow, and None"
    assert kinds["tied"] + kinds["lone"] > 1000
    numbered = [one.text for one in planned if one.is_numbered or one.pillow is None]
    assert len(set(numbered)) == len(numbered)
