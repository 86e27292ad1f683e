"""Open files: the limit of this process, and whether another one can be opened."""

import contextlib
import errno
import os
import resource


def raise_open_file_limit() -> None:
    """Raise the soft limit of open files to the hard limit, because each connection is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems report an unlimited hard limit and refuse it.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def open_file_limit() -> int | None:
    """Return how many files this process may have open; None if there is no limit."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if files == resource.RLIM_INFINITY else files


def is_out_of_files() -> bool:
    """Return whether opening one more file fails because of a limit.

    The event loop accepts and closes a connection that it has no descriptor for, and reports
    nothing, so it is asked of the system.
    """
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return False
