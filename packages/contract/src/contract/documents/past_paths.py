"""Paths of the past, of today, and of the names that people gave."""

from typing import Final

import msgspec

from contract.documents.paths import (
    CURRENT,
    PILLOW,
    TEXT,
    json,
    operation,
    problem,
    query,
    whole,
)
from contract.documents.schemas import Node
from contract.wire_types import Timestamp

_TAG: Final = "gateway"
_TIMESTAMP: Final = msgspec.json.schema(Timestamp)

_BAD_QUERY: Final = problem("A parameter cannot be read.")
_PAGE: Final[tuple[Node, ...]] = (
    query("from", "From this instant on.", _TIMESTAMP),
    query("to", "Before this instant.", _TIMESTAMP),
    query("limit", "The most states of a page.", whole(1000)),
    query("page", "Where the page begins, as `next` of the page before says.", TEXT),
)
_DAYS: Final[tuple[Node, ...]] = (
    query("days", "How many days, today included.", whole(366)),
    query("tz", "The IANA time zone of the days; UTC unless given.", TEXT),
)
_STEPS: Final[tuple[Node, ...]] = (
    query("from", "From this instant on; a day before `to` unless given.", _TIMESTAMP),
    query("to", "Before this instant; at most, and unless given, the present.", _TIMESTAMP),
    query(
        "step",
        "The length of a step in seconds, 3600 unless given. The time has at most 1000 steps and "
        "366 days.",
        whole(31_622_400),
    ),
)
_ZONE: Final = query("tz", "The IANA time zone of the day; UTC unless given.", TEXT)


def past_paths(refused: Node, refused_one: Node, pillows: Node) -> Node:
    """Return the paths; they are refused as others of all pillows, or of one.

    `pillows` is the parameter that names several of them.
    """
    return {**_of_one({"400": _BAD_QUERY, **refused_one}), **_of_all(refused, pillows)}


def _of_one(refused: Node) -> Node:
    parts = (
        (
            "history",
            "getPillowHistory",
            (
                "The past states of one pillow, oldest first. Without a parameter and without a "
                "recorder, all that are still in memory."
            ),
            json("Its states.", "PillowHistory"),
            _PAGE,
        ),
        (
            "summary",
            "getPillowSummary",
            "What the last days of one pillow had: episodes, times, and what nobody heard.",
            json("Its days.", "PillowSummary"),
            _DAYS,
        ),
        (
            "activity",
            "getPillowActivity",
            (
                "What one pillow did in each step of a time, for charts. An episode counts in the "
                "step in which it began."
            ),
            json("Its steps.", "PillowActivity"),
            _STEPS,
        ),
    )
    return {
        f"/api/pillows/{{pillow}}/{path}": {
            "get": operation(name, _TAG, summary, {"200": found, **refused}, PILLOW, *query)
        }
        for path, name, summary, found, query in parts
    }


def _of_all(refused: Node, pillows: Node) -> Node:
    named = "The pillows to tell of; repeat it for several, omit it for all."
    forbidden = problem("The token does not permit a pillow, or the host is not answered.")
    today = {"200": json("Today.", "Today"), "400": _BAD_QUERY, **refused, "403": forbidden}
    return {
        "/api/today": {
            "get": operation(
                "getToday",
                _TAG,
                "The hugs of today, of all pillows or of some. A pillow without a hug is not "
                "named.",
                today,
                _ZONE,
                {**pillows, "description": named},
            )
        },
        "/api/labels": {
            "get": operation(
                "getLabels",
                _TAG,
                "The names that people gave to pillows. A `label` in a pillow's state goes before.",
                {
                    "200": json("The names.", "Labels"),
                    "304": CURRENT,
                    **refused,
                },
            )
        },
    }
