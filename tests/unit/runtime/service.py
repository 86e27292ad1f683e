"""Services for the lifecycle tests, each run as a program with its name as the argument."""

import asyncio
import sys

from runtime import lifecycle
from runtime.lifecycle import exit_with_usage, run_service
from runtime.logs import configure_logs


def report(word: str) -> None:
    """Write a line for the test."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def finishes(stopping: asyncio.Event) -> None:
    """Finish after the stop was requested."""
    report("ready")
    await stopping.wait()
    await asyncio.sleep(0)
    report("finished")


async def lingers(stopping: asyncio.Event) -> None:
    """Never finish."""
    report("ready")
    await stopping.wait()
    report("stopping")
    await asyncio.Event().wait()


async def fails(_stopping: asyncio.Event) -> None:
    """End with an exception."""
    raise RuntimeError("a bug of ours")


async def ends(_stopping: asyncio.Event) -> None:
    """Return without a stop."""
    report("ready")


def main() -> None:
    """Run the service that the first argument names; a second is the deadline in seconds."""
    name, *deadline = sys.argv[1:]
    if name == "usage":
        exit_with_usage("service", "PORT = 'x': no")
    if deadline:
        lifecycle.STOP_DEADLINE_S = float(deadline[0])  # type: ignore[misc]
    configure_logs("service", level="info", style="json")
    run_service({"finishes": finishes, "lingers": lingers, "fails": fails, "ends": ends}[name])


if __name__ == "__main__":
    main()
