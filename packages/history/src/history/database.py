"""A history's database: SQLite in WAL mode, or PostgreSQL, by its URL."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from history.postgresql_tls import PostgresqlTls

SQLITE_TIMEOUT_S: Final = 5
"""How long a statement waits for another process's transaction."""

POSTGRESQL_TIMEOUT_S: Final = 10
"""How long a connection attempt, and a statement, may take."""

_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}


class HistoryUrlError(ValueError):
    """The URL names no database that can hold a history; the message says what to write."""


@dataclass(frozen=True, slots=True)
class HistoryUrl:
    """A checked `HISTORY_URL`. Its text has the password replaced."""

    url: URL
    tls: PostgresqlTls = field(default_factory=PostgresqlTls)

    @classmethod
    def parse(cls, text: str) -> "HistoryUrl":
        """Check a URL; raises HistoryUrlError."""
        try:
            url = make_url(text)
        except ArgumentError:
            raise HistoryUrlError("is no URL: write sqlite:///folder/history.db") from None
        driver = _DRIVERS.get(url.drivername)
        if driver is None:
            raise HistoryUrlError(
                f"begins with {url.drivername[:20]}: write sqlite:////folder/history.db, or "
                "postgresql://user:password@host/database"
            )
        if url.drivername == "sqlite" and not url.database:
            raise HistoryUrlError("names no file: write sqlite:////folder/history.db")
        if url.drivername != "sqlite" and not (url.host and url.database):
            raise HistoryUrlError(
                "needs a host and a database: write postgresql://user:password@host/database"
            )
        if url.drivername == "sqlite":
            return cls(url.set(drivername=driver))
        try:
            tls = PostgresqlTls.parse(url.query)
        except ValueError as error:
            raise HistoryUrlError(str(error)) from None
        # Without the parameters, which the driver would not know.
        return cls(url.set(drivername=driver, query={}), tls)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine."""
        return self.url.drivername.startswith("sqlite")

    @property
    def path(self) -> Path | None:
        """The file of a SQLite database."""
        return Path(str(self.url.database)) if self.is_sqlite else None

    def __str__(self) -> str:
        if self.is_sqlite:
            return f"SQLite {self.path}"
        return self.url.set(drivername=self.url.get_backend_name()).render_as_string()


def open_database(url: HistoryUrl, *, read_only: bool, connections: int = 4) -> AsyncEngine:
    """Return an engine; it connects when it is used first. The caller disposes of it.

    A reader cannot write, by a flag of the connection. `connections` is how many are open at most.
    """
    if not url.is_sqlite:
        settings = {
            "application_name": "pillowcast",
            # It would compile for longer than any question takes.
            "jit": "off",
            "statement_timeout": str(POSTGRESQL_TIMEOUT_S * 1000),
            "default_transaction_read_only": "on" if read_only else "off",
        }
        return create_async_engine(
            url.url,
            # All statements of one transaction read the same moment, as in SQLite.
            isolation_level="REPEATABLE READ" if read_only else "READ COMMITTED",
            pool_size=connections,
            max_overflow=0,
            pool_timeout=POSTGRESQL_TIMEOUT_S,
            pool_pre_ping=True,
            connect_args={
                "timeout": POSTGRESQL_TIMEOUT_S,
                "command_timeout": POSTGRESQL_TIMEOUT_S,
                "server_settings": settings,
                "ssl": url.tls.argument(),
            },
        )
    engine = create_async_engine(
        _read_only(url) if read_only else url.url,
        pool_size=connections,
        max_overflow=0,
        connect_args={"timeout": SQLITE_TIMEOUT_S},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # a transaction begins below, not with its first write
        cursor = connection.cursor()
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        else:
            # Only a new file takes it: what is pruned can then be given back to the disk.
            cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")
            cursor.execute("PRAGMA journal_mode = WAL")
            # A commit is on the disk, so that a power cut loses as little as a kill. A recorder
            # commits four times a second at most, unless batches are full.
            cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA cache_size = -16384")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock before it reads, so that nobody changes what it has read.
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _read_only(url: HistoryUrl) -> URL:
    """Return the URL that opens a file only to read; its folder need not be writable."""
    path = f"file:{quote(str(url.path))}"
    return url.url.set(database=path, query={"mode": "ro", "uri": "true"})
