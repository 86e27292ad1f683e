"""The version of a service's command."""

import platform
import sys
from importlib.metadata import version


def version_of(service: str) -> str:
    """Return the version of an installed service."""
    return version(f"pillowcast-{service}")


def print_version(service: str, command: str | None = None) -> None:
    """Write the version of an installed service to standard output, and exit."""
    python = platform.python_version()
    sys.stdout.write(f"{command or service} {version_of(service)} (Python {python})\n")
    raise SystemExit(0)
