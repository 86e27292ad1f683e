"""`pillowcast trace-client`: what one connection is sent, and why."""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import typer

from contract.timestamps import format_timestamp
from gateway.ops.client_reports import ClientPage, ClientReport, parse_client_id
from gateway.ops.client_trace import TraceEvent
from gateway.ops.page import duration, follows_text
from ops.commands.options import COMMAND, GatewayUrl, Json, run_and_exit
from ops.doctor.subject import load_subject
from ops.endpoints import Endpoint
from ops.rendering import ERR, OUT, clean, write_json
from ops.service_client import NoAnswer, fetch, look
from runtime.lifecycle import exit_with_usage


class _Traced(msgspec.Struct):
    """The answer to a request for a trace."""

    client: ClientReport | None = None
    events: list[TraceEvent] = []
    error: str | None = None


def trace_client(
    client: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="As the list shows it; without one, the list."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Print each frame, not its length.")] = False,
    gateway: GatewayUrl = None,
    json: Json = False,
) -> None:
    """Show what one client is sent from now on, and why; without an id, list the clients.

    Also that it is skipped, because it does not read. Heartbeats are left out. Nobody else is
    traced, and the trace ends a quarter of a minute after this command.

    \b
    Examples:
      pillowcast trace-client
      pillowcast trace-client 3wykm
      pillowcast trace-client 3wykm --json | jq -c .frames
    """
    if client is not None and parse_client_id(client) is None:
        exit_with_usage(
            f"{COMMAND} trace-client",
            f"{client!r} is no client's id; pillowcast trace-client lists them",
        )
    run_and_exit("trace-client", _trace(client, gateway, full=full, json=json))


async def _trace(client: str | None, gateway: str | None, *, full: bool, json: bool) -> int:
    subject, _ = load_subject(None, gateway, frozenset(("gateway",)))
    endpoints = [one.endpoint for where in subject.endpoints for one in await look(where)]
    try:
        if client is None:
            return await _list(endpoints, json=json)
        return await _follow(client, endpoints, full=full, json=json)
    except NoAnswer as error:
        ERR.print(clean(f"{COMMAND} trace-client: {error}; pillowcast doctor says more"))
        return 1


async def _list(endpoints: list[Endpoint], *, json: bool) -> int:
    for endpoint in endpoints:
        after = ""
        while True:
            page = await fetch(endpoint, f"/ops/clients?limit=500&after={after}", ClientPage)
            for one in page.clients:
                write_json(one) if json else OUT.print(clean(describe(one)))
            if page.next is None:
                break
            after = page.next
        if not page.total and not json:
            ERR.print(f"no client is connected to {endpoint}")
    return 0


async def _follow(client: str, endpoints: list[Endpoint], *, full: bool, json: bool) -> int:
    endpoint = await _holder(client, endpoints)
    if endpoint is None:
        ERR.print(
            f"{COMMAND} trace-client: no client {client} is connected; without an id it lists them"
        )
        return 1
    number, state = 0, ""
    while True:
        path = f"/ops/clients/{quote(client)}/trace?after={number}"
        traced = await fetch(endpoint, path, _Traced, timeout_s=9.0)
        if traced.client is None:
            ERR.print(clean(traced.error or "the client has left"))
            return 0 if state else 1
        if not json and traced.client.state != state:
            OUT.print(clean(describe(traced.client)), style="bold")
        state = traced.client.state
        for event in traced.events:
            number = event.number
            write_json(event) if json else _print(event, full=full)


async def _holder(client: str, endpoints: list[Endpoint]) -> Endpoint | None:
    """Return the gateway that has a client."""
    for endpoint in endpoints:
        found: dict[str, Any] = await fetch(endpoint, f"/ops/clients/{quote(client)}", dict)
        if "id" in found:
            return endpoint
    return None


def _print(event: TraceEvent, *, full: bool) -> None:
    time = format_timestamp(event.at_ms * 1000)[11:23]
    sent = f"{event.bytes} B, {event.pillows} pillows: " if event.bytes else ""
    OUT.print(clean(f"{time} {event.what:<10} {sent}{event.why}"))
    if full:
        for frame in event.frames:
            OUT.print(clean(f"    {frame}"), style="dim")


def describe(client: ClientReport) -> str:
    """Return a client in one line."""
    share = f", by share link {client.share}" if client.share else ""
    return (
        f"{client.id}  {client.address or '?'}  {client.transport}  follows "
        f"{follows_text(client.follows)}  {client.state}, connected for "
        f"{duration(client.connected_s)}, backlog {client.backlog_bytes} B, "
        f"behind by {client.lag}, paused {client.pauses} times{share}"
    )
