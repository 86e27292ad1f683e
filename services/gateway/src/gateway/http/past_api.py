"""The HTTP API of the past: pages of states, and summaries of days."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract.http_types import PastSource, PillowSummary
from contract.timestamps import format_timestamp, parse_timestamp
from gateway.http.guard import Guard
from gateway.http.problems import problem
from gateway.http.responses import json_response, unknown_pillow
from gateway.past.fallback import PastWithFallback
from history.pages import MAX_PAGE, Page, Position
from history.summary import MAX_DAYS, days_until, summarize, until_now
from runtime.queue_aware_clock import Clock

DEFAULT_DAYS: Final = 7

PAGE_PARAMETERS: Final = frozenset({"from", "to", "limit", "page"})

_LAST_US: Final = 253_402_300_799_999_999


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which states a request asks for: from a position, before an instant, at most `limit`."""

    first: Position = (0, 0)
    until_us: int = _LAST_US
    limit: int = MAX_PAGE

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "PageQuery | str":
        """Return what a query asks for, or why it cannot be answered."""
        from_us = _instant(query.get("from"), 0)
        until_us = _instant(query.get("to"), _LAST_US)
        if from_us is None or until_us is None:
            return "from and to are RFC 3339 instants, such as 2026-11-29T03:00:00Z"
        limit = query.get("limit", str(MAX_PAGE))
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:9]) <= MAX_PAGE:
            return f"limit is {limit[:20]!r}: a number from 1 to {MAX_PAGE}"
        first: Position | None = (from_us, 0)
        if "page" in query:
            first = _position(query["page"])
        if first is None:
            return f"page is {query['page'][:40]!r}: take it from `next` of the page before"
        return cls(first, until_us, int(limit))

    def following(self, position: Position) -> str:
        """Return the query of the next page, relative to this one."""
        query = {"page": f"{position[0]}.{position[1]}", "limit": str(self.limit)}
        if self.until_us != _LAST_US:
            query["to"] = format_timestamp(self.until_us)
        return f"?{urlencode(query)}"


def past_routes(
    past: PastWithFallback, guard: Guard, clock: Clock, all_in_memory: Callable[[str], Response]
) -> list[Route]:
    """Return the routes of a pillow's past; a request sees what `guard` permits.

    `all_in_memory` answers a request for the history that asks for no page, where there is no
    database.
    """

    async def history(request: Request) -> Response:
        name = request.path_params["pillow"]
        refused = guard.refusal(request, name)
        if refused is not None:
            return refused
        if not past.has_database and not request.query_params.keys() & PAGE_PARAMETERS:
            return all_in_memory(name)
        query = PageQuery.parse(request.query_params)
        if isinstance(query, str):
            return problem(400, "bad query", query)
        page, is_recorded = await past.page(name, query.first, query.until_us, query.limit)
        return unknown_pillow(name) if page is None else _page(name, page, query, is_recorded)

    async def summary(request: Request) -> Response:
        name = request.path_params["pillow"]
        refused = guard.refusal(request, name)
        if refused is not None:
            return refused
        count = parse_days(request.query_params.get("days"))
        zone = parse_zone(request.query_params.get("tz"))
        if count is None:
            return problem(400, "bad query", f"days is a number from 1 to {MAX_DAYS}")
        if zone is None:
            return problem(400, "bad query", "tz is a time zone, such as Europe/Berlin")
        days = days_until(clock.read().best_ms * 1000, count, zone)
        found, is_recorded = await past.days(name, days[0].began_us, days[-1].ended_us)
        if found is None:
            return unknown_pillow(name)
        listened = until_now(found.listened, days[-1].ended_us)
        body = PillowSummary(
            name, zone.key, _source(is_recorded), summarize(days, found.episodes, listened)
        )
        return json_response(msgspec.json.encode(body))

    return [
        Route("/api/pillows/{pillow}/history", history),
        Route("/api/pillows/{pillow}/summary", summary),
    ]


def _page(name: str, page: Page, query: PageQuery, is_recorded: bool) -> Response:
    following = "" if page.following is None else f',"next":"{query.following(page.following)}"'
    head = f'{{"pillow":"{name}","source":"{_source(is_recorded)}"{following},"states":['
    return json_response((head + ",".join(page.states) + "]}").encode())


def _source(is_recorded: bool) -> PastSource:
    return "recorder" if is_recorded else "memory"


def _instant(text: str | None, default_us: int) -> int | None:
    return default_us if text is None else parse_timestamp(text)


def _position(text: str) -> Position | None:
    at_us, found, seq = text.partition(".")
    if not found or not all(one.isascii() and one.isdigit() for one in (at_us, seq)):
        return None
    position = (int(at_us[:20]), int(seq[:20]))
    return position if position[0] <= _LAST_US and position[1] < 2**63 else None


def parse_days(text: str | None) -> int | None:
    """Return a number of days; None for anything but 1 to MAX_DAYS."""
    if text is None:
        return DEFAULT_DAYS
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_DAYS:
        return None
    return int(text)


def parse_zone(text: str | None) -> ZoneInfo | None:
    """Return a time zone of the IANA database; None where there is none of that name."""
    try:
        return ZoneInfo(text or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
