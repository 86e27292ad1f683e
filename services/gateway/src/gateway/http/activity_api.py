"""The HTTP API of what a pillow did in each step of a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract.http_types import PillowActivity
from contract.timestamps import format_timestamp
from gateway.http.guard import Guard
from gateway.http.past_query import BAD_INSTANT, FIRST_US, parse_instant, parse_number, source_of
from gateway.http.problems import problem
from gateway.http.responses import json_response, unknown_pillow
from gateway.past.fallback import PastWithFallback
from history.spans import Span
from history.steps import MAX_STEPS, MAX_WINDOW_S, describe_steps, steps_between
from runtime.queue_aware_clock import Clock

DEFAULT_STEP_S: Final = 3600
DEFAULT_WINDOW_US: Final = 86_400_000_000
ACTIVITY_PARAMETERS: Final = frozenset({"from", "to", "step"})


@dataclass(frozen=True, slots=True)
class ActivityQuery:
    """Which time a request asks for, at most until now, and the length of its steps."""

    from_us: int
    until_us: int
    step_s: int

    @classmethod
    def parse(cls, query: Mapping[str, str], now_us: int) -> "ActivityQuery | str":
        """Return what a query asks for, or why it cannot be answered."""
        step_s = parse_number(query.get("step"), DEFAULT_STEP_S, MAX_WINDOW_S)
        if step_s is None:
            return f"step is a number of seconds from 1 to {MAX_WINDOW_S}"
        to_us = parse_instant(query["to"]) if "to" in query else now_us
        if to_us is None:
            return BAD_INSTANT
        until_us = min(to_us, now_us)
        from_us = max(until_us - DEFAULT_WINDOW_US, FIRST_US)
        if "from" in query:
            parsed = parse_instant(query["from"])
            if parsed is None:
                return BAD_INSTANT
            if parsed >= to_us:
                return "from is not before to"
            from_us = parsed
        if until_us - from_us > MAX_WINDOW_S * 1_000_000:
            return f"from is more than {MAX_WINDOW_S // 86_400} days before to"
        found = cls(from_us, max(from_us, until_us), step_s)
        if found.step_count > MAX_STEPS:
            least_s = -(-(found.until_us - found.from_us) // (MAX_STEPS * 1_000_000))
            return (
                f"{found.step_count} steps of {step_s} s; at most {MAX_STEPS} are told: "
                f"make step at least {least_s}, or ask for less time"
            )
        return found

    @property
    def step_count(self) -> int:
        """How many steps the time has."""
        return -(-(self.until_us - self.from_us) // (self.step_s * 1_000_000))

    @property
    def steps(self) -> Sequence[Span]:
        """The steps, the oldest first."""
        return steps_between(self.from_us, self.until_us, self.step_s)


def activity_routes(past: PastWithFallback, guard: Guard, clock: Clock) -> list[Route]:
    """Return the route of a pillow's activity; a request sees what `guard` permits."""

    @guard.of_pillow
    async def activity(request: Request, name: str) -> Response:
        now_us = clock.read().best_us
        query = ActivityQuery.parse(request.query_params, now_us)
        if isinstance(query, str):
            return problem(400, "bad query", query)
        steps = query.steps
        found, is_recorded = await past.activity(name, steps, now_us)
        if found is None:
            return unknown_pillow(name)
        body = PillowActivity(
            name,
            format_timestamp(query.from_us),
            format_timestamp(query.until_us),
            query.step_s,
            source_of(is_recorded),
            describe_steps(steps, found),
        )
        return json_response(msgspec.json.encode(body))

    return [Route("/api/pillows/{pillow}/activity", activity)]
