"""The HTTP API of today's hugs, for all pillows at once."""

import asyncio
import gzip
from collections.abc import Iterable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract.frames import MAX_SUBSCRIBED
from contract.http_types import PillowHugs, Today
from contract.timestamps import format_timestamp
from contract.topics import find_invalid_pillow_id
from gateway.http.guard import Guard
from gateway.http.negotiation import accepts_gzip
from gateway.http.past_query import source_of
from gateway.http.problems import problem
from gateway.http.time_zones import parse_zone, wrong_zone
from gateway.past.fallback import PastWithFallback
from gateway.past.today import Count, HugsOfToday
from history.hugs import Hugs
from history.summary import Day, days_until, seconds
from runtime.queue_aware_clock import Clock

MAX_AGE_S: Final = 10
"""For how long a response may be used again."""

MAX_BODIES: Final = 4
"""How many compressed responses are kept of one count: time zones whose days begin together."""

_MIN_COMPRESSED: Final = 20  # pillows; below, compression saves little


def today_routes(past: PastWithFallback, guard: Guard, clock: Clock) -> list[Route]:
    """Return the route of today's hugs; a request sees what `guard` permits."""

    def now_us() -> int:
        return clock.read().best_us

    counts = HugsOfToday(past.hugs, now_us)
    cache_control = f"{'public' if guard.is_open else 'private'}, max-age={MAX_AGE_S}"
    vary = "Accept-Encoding" if guard.is_open else "Accept-Encoding, Authorization"
    headers = {"Cache-Control": cache_control, "Vary": vary}

    async def today(request: Request) -> Response:
        scope = guard.scope_of(request)
        if isinstance(scope, Response):
            return scope
        asked = request.query_params.get("tz")
        zone = parse_zone(asked)
        if zone is None:
            return problem(400, "bad query", wrong_zone(asked))
        named = request.query_params.getlist("pillow")
        wrong = _wrong_names(named)
        if wrong is not None:
            return problem(400, "bad query", wrong)
        forbidden = next((name for name in named if name not in scope), None)
        if forbidden is not None:
            return guard.forbidden(forbidden)
        (day,) = days_until(now_us(), 1, zone)
        count = await counts.since(day.began_us)
        since = None if count.is_recorded else _since(past.memory_since_us(), day)
        may_compress = accepts_gzip(request.headers.get("accept-encoding", ""))
        if named or not guard.is_open:
            hugs = ((name, one) for name, one in count.hugs.items() if name in scope)
            if named:
                hugs = ((name, count.hugs[name]) for name in set(named) & count.hugs.keys())
            body = _body(day, zone, count, hugs, since)
            return Response(body, headers=headers, media_type="application/json")
        if may_compress and len(count.hugs) >= _MIN_COMPRESSED:
            body = await _compressed(day, zone, count, since)
            encoded = {**headers, "Content-Encoding": "gzip"}
            return Response(body, headers=encoded, media_type="application/json")
        body = _body(day, zone, count, count.hugs.items(), since)
        return Response(body, headers=headers, media_type="application/json")

    return [Route("/api/today", today)]


def _wrong_names(names: Sequence[str]) -> str | None:
    if len(names) > MAX_SUBSCRIBED:
        return f"{len(names)} pillows; name at most {MAX_SUBSCRIBED}, or none for all"
    wrong = find_invalid_pillow_id(names)
    return None if wrong is None else f"{wrong[:80]!r} is no pillow's id"


def _since(memory_us: int | None, day: Day) -> str | None:
    """Return from when on hugs are counted, where that is later than the day began."""
    if memory_us is None or memory_us <= day.began_us:
        return None
    return format_timestamp(memory_us)


async def _compressed(day: Day, zone: ZoneInfo, count: Count, since: str | None) -> bytes:
    """Return the compressed response for all pillows, which is made once for each time zone."""
    key = f"{zone.key} {day.date}"
    if key not in count.bodies:
        # In a thread, because many pillows take milliseconds.
        body = await asyncio.to_thread(_body, day, zone, count, count.hugs.items(), since)
        compressed = await asyncio.to_thread(gzip.compress, body, 5, mtime=0)
        while len(count.bodies) >= MAX_BODIES:
            del count.bodies[next(iter(count.bodies))]
        count.bodies[key] = compressed
        return compressed
    return count.bodies[key]


def _body(
    day: Day, zone: ZoneInfo, count: Count, hugs: Iterable[tuple[str, Hugs]], since: str | None
) -> bytes:
    return msgspec.json.encode(
        Today(
            day=day.date.isoformat(),
            tz=zone.key,
            ended=format_timestamp(count.until_us),
            source=source_of(count.is_recorded),
            since=since,
            pillows={
                name: PillowHugs(one.count, format_timestamp(one.last_us), seconds(one.longest_us))
                for name, one in hugs
            },
        )
    )
