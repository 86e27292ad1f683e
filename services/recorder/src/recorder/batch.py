"""Batch: what states change in the tables. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract.updates import Update
from history.episodes import Episode, observe
from history.slots import SLOT_US

Row = dict[str, Any]
"""A row of a table, by the names of its columns."""


def state_rows(updates: Sequence[Update], ids: Mapping[str, int]) -> list[Row]:
    """Return the rows of `states` in the order of their key, each key once."""
    rows = {
        (ids[one.pillow], *one.order): {
            "pillow_id": ids[one.pillow],
            "at_us": one.order[0],
            "seq": one.order[1],
            "payload": one.payload.decode(),
        }
        for one in updates
        if one.pillow in ids
    }
    return [rows[key] for key in sorted(rows)]


@dataclass(frozen=True, slots=True)
class EpisodeChanges:
    """The rows of `episodes` that change, and each pillow's last episode afterwards."""

    rows: list[Row]
    last: dict[str, Episode]


def episode_changes(
    updates: Sequence[Update], ids: Mapping[str, int], last: Mapping[str, Episode]
) -> EpisodeChanges:
    """Return what states change in the episodes; `last` are those that are the last ones so far."""
    now: dict[str, Episode] = {}
    changed: dict[tuple[int, int], Episode] = {}
    for one in sorted(updates, key=lambda update: update.order):
        if one.pillow not in ids:
            continue
        known = now.get(one.pillow, last.get(one.pillow))
        for episode in observe(known, one.order[0], one.state):
            changed[ids[one.pillow], episode.began_us] = episode
            now[one.pillow] = episode
    rows = [
        {
            "pillow_id": pillow_id,
            "began_us": episode.began_us,
            "ended_us": episode.ended_us,
            "state": episode.state,
            "reports": episode.reports,
        }
        for (pillow_id, _), episode in sorted(changed.items(), key=lambda item: item[0])
    ]
    return EpisodeChanges(rows, now)


def size_rows(new_states: Sequence[tuple[int, int]]) -> list[Row]:
    """Return what is added to `sizes`, for the `at` and the payload bytes of each new state."""
    slots: dict[int, Row] = {}
    for at_us, size in new_states:
        slot = at_us // SLOT_US
        row = slots.setdefault(slot, {"slot": slot, "states": 0, "bytes": 0})
        row["states"] += 1
        row["bytes"] += size
    return [slots[slot] for slot in sorted(slots)]
