"""The history against a plain list of states."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.state.history import ENTRY_OVERHEAD_BYTES, History
from tests.unit.gateway.strategies import PILLOWS, pillows


@given(
    st.sampled_from((0, 700, 3000, 1 << 20)),
    st.lists(st.tuples(pillows, st.integers(1, 900)), max_size=40),
)
def test_the_newest_states_that_fit_the_limit_are_kept(
    limit_bytes: int, sizes: list[tuple[str, int]]
) -> None:
    """All pillows share the limit; the oldest state of all is evicted first."""
    history = History(limit_bytes)
    kept: list[tuple[str, bytes]] = []
    for number, (pillow, size) in enumerate(sizes):
        payload = b"%d" % (number % 10) * size
        history.append(pillow, payload)
        kept.append((pillow, payload))
        while cost(kept) > limit_bytes:
            kept.pop(0)

        assert history.size_bytes == cost(kept) <= limit_bytes
        for one in PILLOWS:
            assert history.states(one) == [state for of, state in kept if of == one]
            numbered = list(history.states_after(one, 0))
            assert [state for _, state in numbered] == history.states(one)
            last = history.last_number(one)
            assert [number for number, _ in numbered] == list(
                range(last + 1 - len(numbered), last + 1)
            )
            assert list(history.states_after(one, last - 1)) == numbered[-1:]


def cost(kept: list[tuple[str, bytes]]) -> int:
    """Return what the states cost."""
    return sum(len(payload) + ENTRY_OVERHEAD_BYTES for _, payload in kept)


def test_a_state_larger_than_the_limit_is_not_kept() -> None:
    """The limit holds for one state as for many."""
    history = History(500)
    history.append("cloud-1", bytes(10))
    history.append("cloud-1", bytes(1000))

    assert history.states("cloud-1") == []
    assert history.size_bytes == 0


def test_an_unknown_pillow_has_no_past_states() -> None:
    """An empty list, not an error."""
    assert History(500).states("cloud-1") == []
