"""The version of a service's command."""

import platform
import sys
from importlib.metadata import version


def print_version(service: str) -> None:
    """Write the version of an installed service to standard output, and exit."""
    number = version(f"pillowcast-{service}")
    sys.stdout.write(f"{service} {number} (Python {platform.python_version()})\n")
    raise SystemExit(0)
