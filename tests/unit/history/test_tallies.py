"""Tallies: what a pillow did in each span."""

from hypothesis import given
from hypothesis import strategies as st

from history.episodes import Episode
from history.spans import Span, merged
from history.tallies import Tally, TallyCounter, combine, count_tallies, unheard_pieces
from tests.unit.history.strategies import episodes, partitions, spans


@given(partitions(), episodes())
def test_an_episode_counts_once_however_the_time_is_cut(
    whole: list[Span], found: list[Episode]
) -> None:
    """In the span in which it began, with its whole length."""
    tallies = count_tallies(whole, found)

    first_us, last_us = whole[0][0], whole[-1][1]
    began = [one for one in found if first_us <= one.began_us < last_us]
    assert sum(one.episodes for one in tallies.values()) == len(began)
    assert max((one.longest_us for one in tallies.values()), default=0) == max(
        (one.ended_us - one.began_us for one in began), default=0
    )


@given(partitions(), episodes())
def test_the_time_of_an_episode_is_shared_out_over_the_spans(
    whole: list[Span], found: list[Episode]
) -> None:
    """Each has the part that lies in it."""
    tallies = count_tallies(whole, found)

    for number, (began_us, ended_us) in enumerate(whole):
        for state in ("hugging", "neutral", "punching"):
            parts = [
                min(one.ended_us, ended_us) - max(one.began_us, began_us)
                for one in found
                if one.state == state
            ]
            tally = tallies.get((number, state), Tally())
            assert tally.spent_us == sum(part for part in parts if part > 0)


@given(partitions(), episodes(), st.integers(0, 12))
def test_it_does_not_matter_in_how_many_parts_episodes_are_counted(
    whole: list[Span], found: list[Episode], split: int
) -> None:
    """Nor in which order."""
    counter = TallyCounter(whole)
    for one in [*found[split:], *found[:split]]:
        counter.add(one)

    assert counter.tallies == count_tallies(whole, found)


@given(partitions(), episodes(), spans())
def test_what_is_unheard_is_neither_heard_nor_told_by_an_episode(
    whole: list[Span], found: list[Episode], listened: list[Span]
) -> None:
    """For each span; so it adds up with the times in states and the sleep."""
    heard = merged(listened)
    pieces = unheard_pieces(whole, heard)
    known = combine(
        whole,
        count_tallies(whole, found),
        pieces,
        count_tallies([one for _, one in pieces], found),
    )

    for number, (began_us, ended_us) in enumerate(whole):
        covered = [*heard, *((one.began_us, one.ended_us) for one in found)]
        silent = [
            at_us
            for at_us in range(began_us, ended_us)
            if not any(begin <= at_us < end for begin, end in covered)
        ]
        assert known.unheard_us[number] == len(silent)


def test_no_span_has_nothing() -> None:
    """And needs no episode."""
    assert unheard_pieces([], []) == []
    assert count_tallies([], [Episode("hugging", 0, 1)]) == {}
