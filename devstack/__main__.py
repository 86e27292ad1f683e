"""`python -m devstack`: runs the whole system for a person at a terminal, until Ctrl-C."""

import asyncio
import contextlib
import os
import signal
import sys

from devstack.broker import EMBEDDED_LIMITS
from devstack.console import Console
from devstack.errors import CannotStart, DevstackError, ProgramFailed
from devstack.options import CANNOT_START, FAILED, parse_options, wanted_ports
from devstack.processes import ROOT, Program
from devstack.stack import Stack


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
            recorder=True,
            # It stays, so that "what happened last night" has an answer in the morning.
            history=os.environ.get("HISTORY_URL") or f"sqlite:///{ROOT}/.devstack/history.db",
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
