"""The inputs of every fuzz target pass, those that once failed too, without the fuzzer."""

import importlib
import time
from typing import Final

import pytest

from tests.fuzz import TARGETS
from tests.fuzz.__main__ import CORPORA, read_corpus, seeds

pytestmark = pytest.mark.usefixtures("without_garbage_collection")

MAX_INPUT_S: Final = 1.0
"""The CPU time of one input; a usual one takes a hundredth of it."""


@pytest.mark.parametrize("name", TARGETS)
def test_every_input_of_a_target_passes(name: str) -> None:
    """Its seeds, and the inputs that the fuzzer has found."""
    target = importlib.import_module(f"tests.fuzz.{name}")
    inputs = [*seeds(name), *read_corpus(name)]

    assert len(inputs) > 10
    for data in inputs:
        assert len(data) <= target.MAX_BYTES
        began_s = time.thread_time()
        try:
            target.check(data)
        except Exception as error:
            raise AssertionError(f"{name}: {data!r}") from error
        assert time.thread_time() - began_s < MAX_INPUT_S, data


def test_every_corpus_is_of_a_target() -> None:
    """`scripts/fuzz --keep` writes them."""
    assert sorted(path.stem for path in CORPORA.iterdir()) == sorted(TARGETS)
