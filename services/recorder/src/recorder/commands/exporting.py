"""Export: the recorded states of some pillows as CSV, JSON lines or Parquet."""

import csv
import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, Protocol

import msgspec

COLUMNS: Final = ("pillow", "at", "seq", "state", "confidence", "battery", "queued", "published")
"""The columns of CSV and Parquet; JSON lines have every field."""


class ParquetMissing(Exception):
    """The library that writes Parquet is not installed; the message says how to install it."""


class Writer(Protocol):
    """A format of an export."""

    def write(self, states: Sequence[str]) -> None:
        """Write states, which are JSON."""

    def close(self) -> None:
        """Complete the file."""


class JsonLines:
    """Each state as it was on MQTT, a line each."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, states: Sequence[str]) -> None:
        """Write states."""
        self._file.writelines(f"{one}\n" for one in states)

    def close(self) -> None:
        """Write what is buffered."""
        self._file.flush()


class Csv:
    """A row for each state, below the names of COLUMNS (RFC 4180)."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._writer = csv.writer(file, lineterminator="\r\n")
        self._writer.writerow(COLUMNS)

    def write(self, states: Sequence[str]) -> None:
        """Write states."""
        self._writer.writerows([row[name] for name in COLUMNS] for row in map(row_of, states))

    def close(self) -> None:
        """Write what is buffered."""
        self._file.flush()


class Parquet:
    """COLUMNS in a Parquet file, a row group for each page of states."""

    def __init__(self, path: Path) -> None:
        try:
            self._arrow: Any = importlib.import_module("pyarrow")
            parquet: Any = importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise ParquetMissing(
                "Parquet needs pyarrow: pip install 'pillowcast-recorder[parquet]'"
            ) from None
        arrow = self._arrow
        kinds = {"seq": arrow.int64(), "queued": arrow.int64(), "published": arrow.int64()}
        kinds |= dict.fromkeys(("confidence", "battery"), arrow.float64())
        self._schema = arrow.schema([(name, kinds.get(name, arrow.string())) for name in COLUMNS])
        self._writer = parquet.ParquetWriter(path, self._schema)

    def write(self, states: Sequence[str]) -> None:
        """Write states."""
        rows = [row_of(one) for one in states]
        self._writer.write_table(self._arrow.Table.from_pylist(rows, schema=self._schema))

    def close(self) -> None:
        """Write the footer, without which the file cannot be read."""
        self._writer.close()


def row_of(state: str) -> dict[str, Any]:
    """Return the columns of a state; a field that another program wrote wrongly is left out."""
    fields = msgspec.json.decode(state)
    hops = fields.get("hops")
    hops = hops if isinstance(hops, dict) else {}
    return {
        "pillow": fields["pillow"],
        "at": fields["at"],
        "seq": fields.get("seq", 0),
        "state": fields["state"],
        "confidence": _number(fields.get("confidence")),
        "battery": _number(fields.get("battery")),
        "queued": _whole(hops.get("queued")),
        "published": _whole(hops.get("published")),
    }


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Compared before it is converted, because an integer of 400 digits has no float.
    return float(value) if is_number and abs(value) < 2**63 else None  # type: ignore[arg-type]


def _whole(value: object) -> int | None:
    return value if type(value) is int and abs(value) < 2**63 else None


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield the path of a partial file, which appears under its name when it is complete."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(path)
