"""A service that does one thing, for the tests of its life: run as a program with its name."""

import asyncio
import sys

from runtime import lifecycle
from runtime.lifecycle import exit_with_usage, run_service
from runtime.logs import configure_logs


def say(word: str) -> None:
    """Tell the test how far it is."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def finishes(stopping: asyncio.Event) -> None:
    """Do until asked, then finish what is in hand."""
    say("ready")
    await stopping.wait()
    await asyncio.sleep(0)
    say("finished")


async def lingers(stopping: asyncio.Event) -> None:
    """Never finish."""
    say("ready")
    await stopping.wait()
    say("asked")
    await asyncio.Event().wait()


async def fails(_stopping: asyncio.Event) -> None:
    """End with a bug."""
    raise RuntimeError("a bug of ours")


async def ends(_stopping: asyncio.Event) -> None:
    """End by itself."""
    say("ready")


def main() -> None:
    """Run what the first argument names; a second is the deadline in seconds."""
    name, *deadline = sys.argv[1:]
    if name == "usage":
        exit_with_usage("service", "PORT = 'x': no")
    if deadline:
        lifecycle.STOP_DEADLINE_S = float(deadline[0])  # type: ignore[misc]
    configure_logs("service", level="info", style="json")
    run_service({"finishes": finishes, "lingers": lingers, "fails": fails, "ends": ends}[name])


if __name__ == "__main__":
    main()
