"""The tables of the history.

Instants are in the queue's time: microseconds since 1970 (`…_us`), as a state's `at` has them.
The keys begin with the pillow, and SQLite stores the rows of a table in their order, so that a day
of one pillow is one range of the file, however many rows there are.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

METADATA: Final = MetaData()

PILLOWS: Final = Table(
    "pillows",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(63), nullable=False, unique=True),
    Column("tallied_until_us", BigInteger),
    sqlite_autoincrement=True,
)
"""The numbers of pillows: a row of `states` is shorter with a number than with a name. No number
is given twice. `tallied_until_us` is until when tallies were made where it is worth it."""

STATES: Final = Table(
    "states",
    METADATA,
    Column("pillow_id", Integer, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Each state as it was on MQTT. The key makes a state that comes again harmless."""

EPISODES: Final = Table(
    "episodes",
    METADATA,
    Column("pillow_id", Integer, primary_key=True, autoincrement=False),
    Column("began_us", BigInteger, primary_key=True, autoincrement=False),
    Column("ended_us", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reports", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""See the module `episodes`."""

TALLIES: Final = Table(
    "tallies",
    METADATA,
    Column("pillow_id", Integer, primary_key=True, autoincrement=False),
    Column("began_us", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String(16), primary_key=True),
    Column("episodes", BigInteger, nullable=False),
    Column("spent_us", BigInteger, nullable=False),
    Column("longest_us", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What a pillow did in each quarter of an hour of some days, as `tallies.Tally` has it."""

TALLIED_DAYS: Final = Table(
    "tallied_days",
    METADATA,
    Column("pillow_id", Integer, primary_key=True, autoincrement=False),
    Column("began_us", BigInteger, primary_key=True, autoincrement=False),
    Index("tallied_days_began_us", "began_us"),
    sqlite_with_rowid=False,
)
"""The days of UTC whose tallies are what counting the episodes would give; see `quarters`."""

LISTENED: Final = Table(
    "listened",
    METADATA,
    Column("began_us", BigInteger, primary_key=True, autoincrement=False),
    Column("recorder", String(63), primary_key=True),
    Column("ended_us", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""From when until when a recorder was connected to the broker and wrote what came."""

SIZES: Final = Table(
    "sizes",
    METADATA,
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("states", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
"""How many states lie in each slot (see `slots`) since 1970, and the bytes of their payloads, so
that retention knows what it frees."""
