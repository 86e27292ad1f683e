"""Errors of a database in the words of its driver. Pure."""

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from runtime.error_text import brief_error


def database_error(error: BaseException) -> str:
    """Return an error on one line, as the driver has it.

    SQLAlchemy adds the statement, with the states in it, and the address of a page about itself.
    """
    if isinstance(error, DBAPIError) and error.orig is not None:
        # SQLAlchemy gives asyncpg's errors names of its own.
        return brief_error(error.orig.__cause__ or error.orig)
    if isinstance(error, SQLAlchemyError) and error.args:
        return brief_error(type(error)(error.args[0]))
    return brief_error(error)
