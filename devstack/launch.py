"""`scripts/dev`: refuses what it can, installs what running needs, runs `python -m devstack`.

It uses the standard library only, because nothing is installed yet.
"""

import os
import subprocess
import sys
from typing import NoReturn

from devstack import ports
from devstack.broker import BrokerKind, wanted_kind
from devstack.errors import CannotStart
from devstack.node import installed_node
from devstack.options import CANNOT_START, parse_options, wanted_ports
from devstack.processes import ROOT


def needed_groups(broker: BrokerKind) -> list[str]:
    """Return the groups of pyproject.toml for what this machine lacks; raises CannotStart."""
    groups = []
    if wanted_kind(broker) == "embedded":
        groups.append("embedded-broker")
    if installed_node() is None:
        groups.append("node")
    return groups


def main() -> NoReturn:
    """Run the command; exit at once if the stack cannot be started."""
    chosen = parse_options(sys.argv[1:])
    try:
        ports.settle(wanted_ports(chosen))
        groups = needed_groups(chosen.broker)
    except CannotStart as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(CANNOT_START)
    done = subprocess.run([ROOT / "scripts" / "setup", "--run", *groups], check=False)
    if done.returncode:
        sys.exit(done.returncode)
    python = str(ROOT / ".venv" / "bin" / "python")
    os.execv(python, [python, "-m", "devstack", *sys.argv[1:]])  # noqa: S606 - no shell is needed


if __name__ == "__main__":
    main()
