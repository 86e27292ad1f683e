"""Group map: the groups that want a pillow, or a prefix of pillows. Pure.

Most names are wanted by one group, and names that nobody has by one client. A set for each would
take twice the memory of everything else that is kept for a name.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

Group = TypeVar("Group")


class GroupMap(Generic[Group]):
    """Groups by key; one alone is held without a set. A group is no set."""

    def __init__(self) -> None:
        self._groups: dict[str, Group | set[Group]] = {}

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self._groups)

    def __iter__(self) -> Iterator[str]:
        return iter(self._groups)

    def add(self, key: str, group: Group) -> None:
        """Add a group to those of a key."""
        held = self._groups.setdefault(key, group)
        if isinstance(held, set):
            held.add(group)
        elif held is not group:
            self._groups[key] = {held, group}

    def discard(self, key: str, group: Group) -> None:
        """Remove a group from those of a key."""
        held = self._groups[key]
        if not isinstance(held, set):
            del self._groups[key]
            return
        held.discard(group)
        if len(held) == 1:
            self._groups[key] = held.pop()

    def of(self, key: str) -> "set[Group] | tuple[Group, ...]":
        """Return the groups of a key."""
        held = self._groups.get(key)
        if held is None:
            return ()
        return held if isinstance(held, set) else (held,)
