"""What is said of a database's error: what its driver says, and nothing of SQLAlchemy's own."""

import sqlite3

from sqlalchemy import exc

from history.errors import database_error


def test_a_full_disk_is_said_in_the_words_of_the_driver() -> None:
    """Without the statement, its values, and where to read about SQLAlchemy."""
    full = sqlite3.OperationalError("database or disk is full")
    error = exc.OperationalError("INSERT INTO states VALUES (?)", ("hugging",), full, code="e3q8")

    assert "hugging" in str(error)
    assert database_error(error) == "OperationalError: database or disk is full"


def test_the_driver_s_own_error_goes_before_the_name_that_sqlalchemy_gives_it() -> None:
    """As asyncpg's do."""
    adapted = Exception("<class 'ValueError'>: permission denied")
    adapted.__cause__ = ValueError("permission denied")

    assert database_error(exc.OperationalError("SELECT", None, adapted)) == (
        "ValueError: permission denied"
    )


def test_an_error_of_sqlalchemy_s_own_has_no_address() -> None:
    """One that no driver raised."""
    assert database_error(exc.TimeoutError("no connection is free", code="3o7r")) == (
        "TimeoutError: no connection is free"
    )
    assert database_error(OSError("connection refused")) == "OSError: connection refused"
