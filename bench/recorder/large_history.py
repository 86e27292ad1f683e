"""A large history in SQLite, made by SQL because it would take hours by MQTT."""

import sqlite3
from pathlib import Path
from typing import Final

from history.slots import SLOT_US

DAYS: Final = 30
DAY_US: Final = 86_400_000_000
BUSY: Final = "busy"
"""A pillow with an episode each ten seconds, without states: more than a pillow that is hugged."""
_REPORTS: Final = 10
"""How many states an episode has."""
_BUSY_STEP_US: Final = 10_000_000

_STATES: Final = """
INSERT INTO states
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :last)
SELECT :pillow, :t0 + i * :step, i,
  '{"pillow":"cloud-' || :pillow || '","state":"hugging","at":"'
  || strftime('%Y-%m-%dT%H:%M:%S', (:t0 + i * :step) / 1000000, 'unixepoch') || '.000Z","seq":' || i
  || ',"confidence":0.93,"hops":{"queued":1764000000000,"polled":1764000000005,'
  || '"published":1764000000010}}'
FROM n
"""
_EPISODES: Final = """
INSERT INTO episodes
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :last)
SELECT :pillow, :t0 + i * :step, :t0 + (i + 1) * :step,
  CASE i % 3 WHEN 0 THEN 'hugging' WHEN 1 THEN 'neutral' ELSE 'punching' END, 10
FROM n
"""


def fill(path: Path, states: int, pillows: int, from_us: int) -> None:
    """Fill the tables of a database: so many states in the 30 days from an instant on."""
    each = states // pillows
    step_us = DAYS * DAY_US // each
    database = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
        database.execute(f"PRAGMA {pragma}")
    for pillow in range(1, pillows + 1):
        database.execute(
            "INSERT INTO pillows (id, name) VALUES (?, ?)", (pillow, f"cloud-{pillow}")
        )
        given = {"pillow": pillow, "t0": from_us, "step": step_us, "last": each - 1}
        database.execute(_STATES, given)
        given |= {"step": step_us * _REPORTS, "last": each // _REPORTS - 1}
        database.execute(_EPISODES, given)
    database.execute("INSERT INTO pillows (id, name) VALUES (?, ?)", (pillows + 1, BUSY))
    last = DAYS * DAY_US // _BUSY_STEP_US - 1
    busy = {"pillow": pillows + 1, "t0": from_us, "step": _BUSY_STEP_US, "last": last}
    database.execute(_EPISODES, busy)
    until_us = from_us + DAYS * DAY_US
    database.execute("INSERT INTO listened VALUES (?, 'bench', ?)", (from_us, until_us))
    slots = range(from_us // SLOT_US, until_us // SLOT_US)
    rows = [(slot, states // len(slots), 190 * states // len(slots)) for slot in slots]
    database.executemany("INSERT INTO sizes VALUES (?, ?, ?)", rows)
    database.execute("PRAGMA journal_mode = WAL")
    database.close()
