"""Tallying: makes the tallies of a day's quarters, and discards those whose episodes change.

The transaction that changes an episode discards the tallies of its day and of later ones, if there
are any; one that makes tallies excludes such transactions. So tallies are always what counting the
episodes would give, whatever comes late, from however many recorders.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from history.quarters import DAY_US, QUARTER_US
from history.reading import read_tallies
from history.schema import PILLOWS, TALLIED_DAYS, TALLIES

_FIRST_US: Final = -(2**62)
_LAST_US: Final = 2**62


async def make_tallies(connection: AsyncConnection, number: int, day_us: int) -> None:
    """Make the tallies of a pillow's day, in a transaction of its own.

    It locks no row of `pillows`, which other transactions lock before they change episodes.
    """
    if connection.dialect.name != "sqlite":
        # In SQLite, a transaction is the only one that writes.
        await connection.execute(text("LOCK TABLE episodes IN SHARE ROW EXCLUSIVE MODE"))
    ended_us = day_us + DAY_US
    quarters = [(one, one + QUARTER_US) for one in range(day_us, ended_us, QUARTER_US)]
    found = await read_tallies(connection, number, quarters)
    await _discard(connection, number, day_us, ended_us)
    rows = [
        {
            "pillow_id": number,
            "began_us": quarters[place][0],
            "state": state,
            "episodes": tally.episodes,
            "spent_us": tally.spent_us,
            "longest_us": tally.longest_us,
        }
        for (place, state), tally in found.items()
    ]
    if rows:  # else all was deleted meanwhile
        await connection.execute(insert(TALLIES), rows)
        await connection.execute(insert(TALLIED_DAYS), {"pillow_id": number, "began_us": day_us})


async def discard_changed(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Discard the tallies of episodes that have changed, and later ones.

    In the transaction that has changed them, and after it has.
    """
    oldest: dict[int, int] = {}
    for row in rows:
        number, day_us = row["pillow_id"], row["began_us"] // DAY_US * DAY_US
        oldest[number] = min(day_us, oldest.get(number, day_us))
    if not oldest:
        return
    tallied = select(TALLIED_DAYS).where(TALLIED_DAYS.c.began_us >= min(oldest.values()))
    found = {
        row.pillow_id
        for row in await connection.execute(tallied)
        if row.began_us >= oldest.get(row.pillow_id, row.began_us + 1)
    }
    columns = PILLOWS.c
    for number in sorted(found):  # in one order, so that two recorders do not wait for each other
        day_us = oldest[number]
        await _discard(connection, number, day_us, _LAST_US)
        to_look_after = update(PILLOWS).where(columns.id == number)
        is_later = columns.tallied_until_us > day_us
        await connection.execute(to_look_after.where(is_later).values(tallied_until_us=day_us))


async def discard_before(connection: AsyncConnection, number: int, cutoff_us: int) -> None:
    """Discard the tallies of days whose episodes may have been deleted.

    In the transaction that has deleted a pillow's episodes before an instant.
    """
    await _discard(connection, number, _FIRST_US, -(-cutoff_us // DAY_US) * DAY_US)


async def _discard(connection: AsyncConnection, number: int, from_us: int, until_us: int) -> None:
    """Discard the tallies of a pillow's days."""
    for table in (TALLIES, TALLIED_DAYS):
        columns = table.c
        days = (columns.began_us >= from_us, columns.began_us < until_us)
        await connection.execute(delete(table).where(columns.pillow_id == number, *days))
