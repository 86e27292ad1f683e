"""The group map against a dictionary of sets."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from gateway.fanout.group_map import GroupMap

changes = st.lists(st.tuples(st.booleans(), st.sampled_from("abc"), st.integers(0, 3)), max_size=60)


@given(changes)
def test_it_has_the_groups_that_a_dictionary_of_sets_has(
    made: list[tuple[bool, str, int]],
) -> None:
    """Whatever is added and removed, and in which order."""
    groups = [f"group {number}" for number in range(4)]
    found: GroupMap[str] = GroupMap()
    expected: dict[str, set[str]] = {}
    for is_added, key, number in made:
        group = groups[number]
        if is_added:
            found.add(key, group)
            expected.setdefault(key, set()).add(group)
        elif group in expected.get(key, ()):
            found.discard(key, group)
            expected[key].remove(group)
            if not expected[key]:
                del expected[key]
        assert {one: set(found.of(one)) for one in found} == expected
        assert len(found) == len(expected)
        assert found.of("other") == ()


def test_a_name_of_one_group_takes_no_set() -> None:
    """Also after there were two."""
    groups: GroupMap[str] = GroupMap()
    groups.add("a", "one")
    groups.add("a", "two")
    groups.discard("a", "one")

    assert groups.of("a") == ("two",)
    assert sys.getsizeof(groups.of("a")) < sys.getsizeof(set())
