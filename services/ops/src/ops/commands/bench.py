"""`pillowcast bench`: how long a state takes through this deployment."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import msgspec
import typer

from azure_queue.errors import QueueDenied, QueueUnavailable
from contract.timestamps import format_timestamp
from ops.commands.options import COMMAND, Json, PublicUrl, Token, run_and_exit
from ops.doctor.subject import Subject, load_subject
from ops.endpoints import by_address, page_of
from ops.queue_view import opened
from ops.rendering import ERR, OUT, clean, progress, write_json
from ops.tail.live import Live, Output, View
from ops.tail.sightings import Row
from runtime.clocks import monotonic_s, unix_ms
from runtime.settings import SettingsError
from simulator.removal import RemovalFailed, RetainedPillows
from simulator.settings import SimulatorSettings

_TTL_S = 60
_LAST_WAIT_S = 15.0
_REMOVAL_S = 5.0


class Measured(msgspec.Struct, frozen=True):
    """How many states were sent and came, and the time from queue to client in milliseconds."""

    sent: int
    arrived: int
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    max_ms: float | None


def bench(
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=10_000)] = 20,
    rate: Annotated[
        float, typer.Option(min=0.1, max=100, help="States a second, of one pillow.")
    ] = 4,
    token: Token = None,
    page: PublicUrl = None,
    json: Json = False,
) -> None:
    """Measure how long a state takes from the queue to a WebSocket client, in this deployment.

    It puts states of a pillow named bench-... on the queue, and removes the pillow at the end if
    the broker's user may. While it runs, it is a viewer, so that pollers poll often. The exit
    status is 1 if not every state arrived.

    \b
    Examples:
      pillowcast bench
      pillowcast bench --count 200 --rate 20 --json
    """
    run_and_exit("bench", _bench((count, rate), (token, page), json=json))


async def _bench(
    load: tuple[int, float], access: tuple[str | None, str | None], *, json: bool
) -> int:
    subject, _ = load_subject(None, None, frozenset())
    if subject.queues is None or subject.common is None:
        raise SettingsError("the settings cannot be used; pillowcast doctor names them")
    token, page = access
    pillow = f"bench-{secrets.token_hex(3)}"
    arrived: dict[str, float] = {}
    expected, complete = load[0], asyncio.Event()

    def on_row(row: Row) -> None:
        if row.websocket_ms is not None:
            arrived[row.at] = monotonic_s()
            check()

    def check() -> None:
        if len(arrived) >= expected:
            complete.set()

    view = View(
        subject.common, None, await by_address(page or page_of(subject.gateway)), token, [pillow]
    )
    async with _running(Live(view, Output(on_row, lambda *_: None, _print_trouble))):
        try:
            sent = await _send(subject, pillow, load, quiet=json)
        except (QueueUnavailable, QueueDenied) as error:
            ERR.print(clean(f"{COMMAND} bench: {error}"))
            return 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WAIT_S):
                await complete.wait()
    await _remove(pillow)
    times = sorted((arrived[at] - at_s) * 1000 for at, at_s in sent.items() if at in arrived)
    measured = summary(len(sent), times)
    write_json(measured) if json else _print(measured)
    return int(measured.arrived < measured.sent)


@asynccontextmanager
async def _running(live: Live) -> AsyncIterator[None]:
    """Run the feeds; raises SettingsError if they do not work in time."""
    running = asyncio.ensure_future(live.run())
    try:
        async with asyncio.timeout(10):
            await live.working.wait()
    except TimeoutError:
        raise SettingsError(
            "broker or gateway cannot be used; pillowcast doctor says why"
        ) from None
    try:
        yield
    finally:
        running.cancel()


async def _send(
    subject: Subject, pillow: str, load: tuple[int, float], *, quiet: bool
) -> dict[str, float]:
    """Put the states on the queue; return when each was sent, by its `at`."""
    count, rate = load
    sent: dict[str, float] = {}
    assert subject.queues is not None
    with progress("sending", count, wanted=not quiet) as bar:
        async with opened(subject.queues) as (states, _):
            start_s = monotonic_s()
            for number in range(count):
                await asyncio.sleep(max(0.0, start_s + number / rate - monotonic_s()))
                at = format_timestamp(unix_ms() * 1000 + number % 1000)
                text = msgspec.json.encode(
                    {"pillow": pillow, "state": ("hugging", "neutral")[number % 2], "at": at}
                )
                sent[at] = monotonic_s()
                await states.put(text.decode(), _TTL_S)
                bar.advance(bar.task_ids[0])
    return sent


async def _remove(pillow: str) -> None:
    """Remove the pillow; without the right to, it falls asleep and is forgotten in a week."""
    try:
        retained = RetainedPillows(SimulatorSettings.load())
        async with asyncio.timeout(_REMOVAL_S), retained.connected():
            await retained.remove(retained.matching([pillow])[pillow])
    except (SettingsError, RemovalFailed, TimeoutError) as error:
        why = str(error) or "the broker lets only the users operator and simulator remove it"
        ERR.print(clean(f"{pillow} stays on the broker, asleep: {why}"), style="dim")


def summary(sent: int, times: list[float]) -> Measured:
    """Return the percentiles of sorted times."""

    def percentile(share: float) -> float | None:
        return round(times[min(len(times) - 1, int(share * len(times)))], 1) if times else None

    return Measured(
        sent, len(times), percentile(0.5), percentile(0.9), percentile(0.99), percentile(1.0)
    )


def _print(measured: Measured) -> None:
    OUT.print(
        f"{measured.arrived} of {measured.sent} states came from the queue to a WebSocket client: "
        f"p50 {measured.p50_ms} ms, p90 {measured.p90_ms} ms, p99 {measured.p99_ms} ms, "
        f"max {measured.max_ms} ms"
    )


def _print_trouble(name: str, why: str | None) -> None:
    if why is not None:
        ERR.print(clean(f"{name}: {why}"), style="red")
