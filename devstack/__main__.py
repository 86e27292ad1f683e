"""`python -m devstack`: runs the whole system for a person at a terminal, until Ctrl-C."""

import argparse
import asyncio
import contextlib
import dataclasses
import signal
import sys
from collections.abc import Sequence

from devstack import ports
from devstack.broker import BROKER_KINDS, EMBEDDED_LIMITS
from devstack.console import Console
from devstack.errors import CannotStart, DevstackError, ProgramFailed
from devstack.ports import Ports
from devstack.processes import Program
from devstack.stack import Stack

FAILED, CANNOT_START = 1, 2
"""Exit statuses: a program failed; or nothing was started."""


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; an invalid one ends the process with exit status 2."""
    parser = argparse.ArgumentParser(
        prog="scripts/dev",
        description="Run broker, queue, poller, gateway and simulator on this machine. Every "
        "setting of .env.example is read from the environment, except addresses, ports and "
        "credentials, which the stack sets.",
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


async def watch(stack: Stack, console: Console) -> Program:
    """Start the stack, print its addresses, and return the first program that ends by itself."""
    await stack.start()
    if stack.broker.kind == "embedded":
        console.show("devstack", f"the embedded broker has limits: {EMBEDDED_LIMITS}")
    console.print(
        f"ready: page {stack.page_url} mqtt {stack.mqtt_url} queue {stack.queue_url} "
        f"ops {stack.ops_url}"
    )
    return await stack.until_one_ends()


async def run(stack: Stack, console: Console) -> int:
    """Run until a signal, and return 0; a second signal kills the remaining programs."""
    watching = asyncio.create_task(watch(stack, console))

    def on_signal(number: signal.Signals) -> None:
        if stack.stopping:
            console.show("devstack", f"{number.name}: killing the remaining programs")
            stack.kill()
        else:
            watching.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal, number)
    try:
        problem = (await watching).describe_end()
    except asyncio.CancelledError:
        problem = ""
    except ProgramFailed as failed:
        # Without the last lines of its output, which have been printed already.
        problem = failed.sentence
    console.show("devstack", f"{problem}; stopping" if problem else "stopping")
    # Not in the task that a signal cancels, so that a stop is always completed.
    await stack.stop()
    console.show("devstack", "stopped")
    if problem:
        print(f"error: {problem}", file=sys.stderr)
        return FAILED
    return 0


def main() -> int:
    """Run the command; return its exit status."""
    chosen = parse_options(sys.argv[1:])
    console = Console()
    try:
        stack = Stack(
            wanted_ports(chosen),
            broker=chosen.broker,
            simulator=not chosen.no_simulator,
            show=console.show,
        )
    except CannotStart as error:
        print(f"error: {error}", file=sys.stderr)
        return CANNOT_START
    except DevstackError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    return asyncio.run(run(stack, console))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # before the event loop handles it
        sys.exit(main())
    sys.exit(130)
