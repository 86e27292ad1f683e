"""`pillowcast tail`: states as they pass queue, broker and gateway."""

import asyncio
import time
from typing import Annotated

import typer

from gateway.auth.shares import parse_duration
from ops.commands.options import (
    COMMAND,
    Json,
    PublicUrl,
    Token,
    checked_pillow,
    run_and_exit,
)
from ops.doctor.subject import load_subject
from ops.endpoints import by_address, page_of
from ops.rendering import ERR, OUT, clean, write_json
from ops.tail.live import Live, Output, View
from ops.tail.sightings import Row
from runtime.lifecycle import exit_with_usage

_HEADS = ("TIME", "PILLOW", "STATE", "ON THE QUEUE", "POLLER", "MQTT", "WEBSOCKET")
_WIDTHS = (12, 18, 13, 13, 9, 9, 10)


def tail(
    pillows: Annotated[
        list[str] | None,
        typer.Argument(metavar="PILLOW...", help="Ids; without any, all.", show_default=False),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="End after so many states.")
    ] = None,
    lasts: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="End after this time: 30s, 10m.")
    ] = None,
    token: Token = None,
    page: PublicUrl = None,
    json: Json = False,
) -> None:
    """Show each state as it passes queue, broker and gateway, with the time of each hop.

    A column is how long the state needed to get there, in milliseconds: on the queue until the
    poller had it, from there to the broker, from the broker to here by MQTT, and how much later it
    came by the gateway's WebSocket. A dash means that it did not come that way. Messages that wait
    on the queue have a line of their own; none is taken. The queue's clock has whole seconds.

    \b
    Examples:
      pillowcast tail
      pillowcast tail cloud-1 --for 1m
      pillowcast tail --count 100 --json | jq .websocket_ms
    """
    names = [checked_pillow("tail", one) for one in pillows or ()]
    try:
        lasts_s = None if lasts is None else parse_duration(lasts)
    except ValueError as error:
        exit_with_usage(f"{COMMAND} tail", str(error))
    run_and_exit("tail", _tail(names, (token, page), count, lasts_s, json=json))


async def _tail(
    names: list[str],
    access: tuple[str | None, str | None],
    count: int | None,
    lasts_s: float | None,
    *,
    json: bool,
) -> int:
    subject, settings = load_subject(None, None, frozenset())
    if subject.common is None:
        for one in settings.list:
            if one.level == "wrong":
                ERR.print(clean(f"{one.name}: {one.detail}"))
        return 2
    token, page = access
    left, ended = count, asyncio.Event()

    def on_row(row: Row) -> None:
        nonlocal left
        if ended.is_set():
            return  # several may come at once
        write_json(row) if json else OUT.print(clean(_line(row)))
        left = None if left is None else left - 1
        if left == 0:
            ended.set()

    view = View(
        subject.common,
        subject.queues,
        await by_address(page or page_of(subject.gateway)),
        token,
        names,
    )
    live = Live(view, Output(on_row, _print_waiting, _print_trouble))
    if not json:
        OUT.print(_columns(_HEADS), style="bold")
    running = asyncio.ensure_future(live.run())
    waits = [running, asyncio.ensure_future(ended.wait())]
    await asyncio.wait(waits, timeout=lasts_s, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        await running
    return 0 if live.working.is_set() and left in (None, 0) else 1


def _line(row: Row) -> str:
    web = None if row.websocket_ms is None else f"{row.websocket_ms:+d} ms"
    return _columns(
        (
            time.strftime("%H:%M:%S"),
            row.pillow,
            row.state,
            _ms(row.waited_ms),
            _ms(row.published_ms),
            _ms(row.mqtt_ms),
            web or "-",
        )
    )


def _ms(value: int | None) -> str:
    return "-" if value is None else f"{value} ms"


def _columns(cells: tuple[str, ...]) -> str:
    return " ".join(f"{cell:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _print_waiting(text: str, waited_s: float) -> None:
    ERR.print(clean(f"waits on the queue for {waited_s:.0f} s: {text[:120]}"), style="yellow")


def _print_trouble(name: str, why: str | None) -> None:
    if why is None:
        ERR.print(f"{name}: works", style="dim")
    else:
        ERR.print(clean(f"{name}: {why}; trying again"), style="red")
