"""A large history in SQLite, made by SQL because it would take hours by MQTT."""

import sqlite3
from pathlib import Path
from typing import Final

from history.slots import SLOT_US

T0_US: Final = 1_764_000_000_000_000
DAYS: Final = 30
PILLOWS: Final = 1000
_REPORTS: Final = 10
"""How many states an episode has."""

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


def fill(path: Path, states: int) -> None:
    """Fill the tables of a database: so many states of 1,000 pillows in 30 days."""
    each = states // PILLOWS
    step_us = DAYS * 86_400_000_000 // each
    database = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
        database.execute(f"PRAGMA {pragma}")
    for pillow in range(1, PILLOWS + 1):
        database.execute("INSERT INTO pillows VALUES (?, ?)", (pillow, f"cloud-{pillow}"))
        given = {"pillow": pillow, "t0": T0_US, "step": step_us, "last": each - 1}
        database.execute(_STATES, given)
        given |= {"step": step_us * _REPORTS, "last": each // _REPORTS - 1}
        database.execute(_EPISODES, given)
    slots = range(T0_US // SLOT_US, (T0_US + DAYS * 86_400_000_000) // SLOT_US)
    rows = [(slot, states // len(slots), 190 * states // len(slots)) for slot in slots]
    database.executemany("INSERT INTO sizes VALUES (?, ?, ?)", rows)
    database.execute("PRAGMA journal_mode = WAL")
    database.close()
