"""The HTTP API of the past: pages of states, and summaries of days."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract.http_types import PillowSummary
from contract.timestamps import format_timestamp
from gateway.http.guard import Guard
from gateway.http.past_query import (
    BAD_INSTANT,
    LAST_US,
    parse_instant,
    parse_number,
    source_of,
)
from gateway.http.problems import problem
from gateway.http.responses import json_response, unknown_pillow
from gateway.http.time_zones import parse_zone, wrong_zone
from gateway.past.fallback import PastWithFallback
from history.pages import MAX_PAGE, Page, Position
from history.summary import MAX_DAYS, days_until, summarize
from runtime.queue_aware_clock import Clock

DEFAULT_DAYS: Final = 7

PAGE_PARAMETERS: Final = frozenset({"from", "to", "limit", "page"})


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which states a request asks for: from a position, before an instant, at most `limit`."""

    first: Position = (0, 0)
    until_us: int = LAST_US
    limit: int = MAX_PAGE

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "PageQuery | str":
        """Return what a query asks for, or why it cannot be answered."""
        from_us = _instant(query.get("from"), 0)
        until_us = _instant(query.get("to"), LAST_US)
        if from_us is None or until_us is None:
            return BAD_INSTANT
        limit = parse_number(query.get("limit"), MAX_PAGE, MAX_PAGE)
        if limit is None:
            return f"limit is {query['limit'][:20]!r}: a number from 1 to {MAX_PAGE}"
        first: Position | None = (from_us, 0)
        if "page" in query:
            first = _position(query["page"])
        if first is None:
            return f"page is {query['page'][:40]!r}: take it from `next` of the page before"
        return cls(first, until_us, limit)

    def following(self, position: Position) -> str:
        """Return the query of the next page, relative to this one."""
        query = {"page": f"{position[0]}.{position[1]}", "limit": str(self.limit)}
        if self.until_us != LAST_US:
            query["to"] = format_timestamp(self.until_us)
        return f"?{urlencode(query)}"


def past_routes(
    past: PastWithFallback, guard: Guard, clock: Clock, all_in_memory: Callable[[str], Response]
) -> list[Route]:
    """Return the routes of a pillow's past; a request sees what `guard` permits.

    `all_in_memory` answers a request for the history that asks for no page, where there is no
    database.
    """

    @guard.of_pillow
    async def history(request: Request, name: str) -> Response:
        if not past.has_database and not request.query_params.keys() & PAGE_PARAMETERS:
            return all_in_memory(name)
        query = PageQuery.parse(request.query_params)
        if isinstance(query, str):
            return problem(400, "bad query", query)
        page, is_recorded = await past.page(name, query.first, query.until_us, query.limit)
        return unknown_pillow(name) if page is None else _page(name, page, query, is_recorded)

    @guard.of_pillow
    async def summary(request: Request, name: str) -> Response:
        count = parse_number(request.query_params.get("days"), DEFAULT_DAYS, MAX_DAYS)
        asked = request.query_params.get("tz")
        zone = parse_zone(asked)
        if count is None:
            return problem(400, "bad query", f"days is a number from 1 to {MAX_DAYS}")
        if zone is None:
            return problem(400, "bad query", wrong_zone(asked))
        now_us = clock.read().best_us
        days = days_until(now_us, count, zone)
        found, is_recorded = await past.activity(name, [one.span for one in days], now_us)
        if found is None:
            return unknown_pillow(name)
        body = PillowSummary(name, zone.key, source_of(is_recorded), summarize(days, found))
        return json_response(msgspec.json.encode(body))

    return [
        Route("/api/pillows/{pillow}/history", history),
        Route("/api/pillows/{pillow}/summary", summary),
    ]


def _page(name: str, page: Page, query: PageQuery, is_recorded: bool) -> Response:
    following = "" if page.following is None else f',"next":"{query.following(page.following)}"'
    head = f'{{"pillow":"{name}","source":"{source_of(is_recorded)}"{following},"states":['
    return json_response((head + ",".join(page.states) + "]}").encode())


def _instant(text: str | None, default_us: int) -> int | None:
    return default_us if text is None else parse_instant(text)


def _position(text: str) -> Position | None:
    at_us, found, seq = text.partition(".")
    if not found or not all(one.isascii() and one.isdigit() for one in (at_us, seq)):
        return None
    position = (int(at_us[:20]), int(seq[:20]))
    return position if position[0] <= LAST_US and position[1] < 2**63 else None
