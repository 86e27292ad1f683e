"""The formats of an export."""

import csv
import io
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from recorder.commands.exporting import COLUMNS, Csv, JsonLines, Parquet, atomic_file, row_of

STATE = (
    '{"pillow":"cloud-1","state":"hugging","at":"2026-11-29T03:00:00.000Z","seq":7,'
    '"confidence":0.93,"label":"a, \\"b\\"\\n=1","hops":{"queued":1,"polled":2,"published":3}}'
)
BARE = '{"pillow":"cloud-1","state":"neutral","at":"2026-11-29T03:00:01.000Z","hops":[true]}'


def test_csv_has_a_row_for_each_state() -> None:
    """What a state lacks is empty."""
    file = io.StringIO(newline="")
    writer = Csv(file)
    writer.write([STATE, BARE])
    writer.close()

    rows = list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))
    assert rows[0] == {
        "pillow": "cloud-1", "at": "2026-11-29T03:00:00.000Z", "seq": "7", "state": "hugging",
        "confidence": "0.93", "battery": "", "queued": "1", "published": "3",
    }  # fmt: skip
    assert rows[1]["queued"] == rows[1]["confidence"] == ""


def test_a_number_that_no_column_can_have_is_left_out() -> None:
    """A device that speaks MQTT may send any; one of them must not end the export."""
    state = BARE.replace(
        "[true]", '{"queued":%s},"confidence":%s,"battery":-%s' % (("9" * 400,) * 3)
    )
    row = row_of(state)
    assert row["queued"] is row["confidence"] is row["battery"] is None


def test_json_lines_are_the_states_as_they_were() -> None:
    """One on each line."""
    file = io.StringIO()
    JsonLines(file).write([STATE, BARE])

    assert file.getvalue() == f"{STATE}\n{BARE}\n"


def test_parquet_has_typed_columns(tmp_path: Path) -> None:
    """It is read by the library that wrote it."""
    writer = Parquet(tmp_path / "states.parquet")
    writer.write([STATE])
    writer.write([BARE])
    writer.close()

    table = parquet.read_table(tmp_path / "states.parquet")
    assert tuple(table.column_names) == COLUMNS
    assert table.to_pylist() == [row_of(STATE), row_of(BARE)]


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    """An export that fails leaves nothing, and what was there."""
    path = tmp_path / "states.csv"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), atomic_file(path) as partial:
        partial.write_text("half" * (1 // 0))
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]

    with atomic_file(path) as partial:
        partial.write_text("whole")
    assert path.read_text() == "whole"
