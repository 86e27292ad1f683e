"""The command line of `scripts/dev`. It uses the standard library only: see devstack.launch."""

import argparse
import dataclasses
from collections.abc import Sequence

from devstack import ports
from devstack.broker import BROKER_KINDS
from devstack.ports import Ports

FAILED, CANNOT_START = 1, 2
"""Exit statuses: a program failed; or nothing was started."""

EXAMPLES = """\
examples:
  scripts/dev                                  everything, until Ctrl-C
  scripts/dev --no-simulator                   without simulated pillows
  scripts/dev --gateway-port 9090              the page on another port
  GATEWAY_EXPIRE_AFTER=10 scripts/dev          with a setting of .env.example
"""


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; an invalid one ends the process with exit status 2."""
    parser = argparse.ArgumentParser(
        prog="scripts/dev",
        description="Run broker, queue, poller, recorder, gateway and simulator on this machine. "
        "Every setting of .env.example is read from the environment, except addresses, ports and "
        "credentials, which the stack sets.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--no-simulator", action="store_true", help="run without simulated pillows")
    parser.add_argument(
        "--broker",
        choices=BROKER_KINDS,
        default="auto",
        help="auto: mosquitto if it is installed, else the broker of a Python package",
    )
    for field in dataclasses.fields(Ports):
        default = getattr(ports.DEFAULT, field.name)
        # Nobody opens the ops port without having read where it is.
        is_preferred = field.name == "ops"
        parser.add_argument(
            f"--{field.name}-port",
            type=ports.parse,
            default=None if is_preferred else default,
            metavar="PORT",
            help=f"port of {ports.PURPOSES[field.name]}; 0 for a free one (default {default}"
            + (", or a free one if it is taken)" if is_preferred else ")"),
        )
    return parser.parse_args(arguments)


def wanted_ports(chosen: argparse.Namespace) -> Ports:
    """Return the ports of the command line."""
    given = {
        field.name: getattr(chosen, f"{field.name}_port") for field in dataclasses.fields(Ports)
    }
    if given["ops"] is None:
        given["ops"] = ports.preferred(ports.DEFAULT.ops, given.values())
    return Ports(**given)
