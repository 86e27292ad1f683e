"""URLs of databases."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from history.database import HistoryUrl, HistoryUrlError, open_database


@pytest.mark.parametrize(
    ("given", "driver", "shown"),
    [
        ("sqlite:////var/history.db", "sqlite+aiosqlite", "SQLite /var/history.db"),
        (
            "postgresql://recorder:secret@db/pillows",
            "postgresql+asyncpg",
            "postgresql://recorder:***@db/pillows",
        ),
        (
            "postgres://db:5433/pillows",
            "postgresql+asyncpg",
            "postgresql://db:5433/pillows",
        ),
    ],
)
def test_a_url_names_a_database_and_hides_its_password(given: str, driver: str, shown: str) -> None:
    """Logs show where the history is."""
    url = HistoryUrl.parse(given)

    assert url.url.drivername == driver
    assert str(url) == shown


@pytest.mark.parametrize(
    "given",
    [
        "nonsense", "mysql://db/pillows", "sqlite://", "postgresql://db", "postgresql:///x",
        "postgresql://u:secret@db/x?sslmode=always", "postgresql://u:secret@db/x?nonsense=1",
        "postgresql://u:secret@db/x?sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
        "postgresql://u:secret@db/x?sslmode=require&sslmode=disable",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_used_says_what_to_write(given: str) -> None:
    """Without its value, which may have a password."""
    with pytest.raises(HistoryUrlError, match="write ") as found:
        HistoryUrl.parse(given)

    assert "secret" not in str(found.value)


async def test_a_reader_cannot_write(tmp_path: Path) -> None:
    """Whatever the file's permissions are."""
    url = HistoryUrl.parse(f"sqlite:///{tmp_path}/history.db")
    writer, reader = open_database(url, read_only=False), open_database(url, read_only=True)
    try:
        async with writer.begin() as connection:
            await connection.execute(text("CREATE TABLE t (x INTEGER)"))
        async with reader.connect() as connection:
            with pytest.raises(OperationalError, match="readonly"):
                await connection.execute(text("INSERT INTO t VALUES (1)"))
    finally:
        await writer.dispose()
        await reader.dispose()


async def test_a_commit_of_a_writer_is_on_the_disk(tmp_path: Path) -> None:
    """A power cut loses what was not committed, and nothing else."""
    engine = open_database(HistoryUrl.parse(f"sqlite:///{tmp_path}/history.db"), read_only=False)
    try:
        async with engine.connect() as connection:
            found = [
                (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
                for name in ("journal_mode", "synchronous")
            ]
        assert found == ["wal", 2]
    finally:
        await engine.dispose()
