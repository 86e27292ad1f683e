"""Admission: who may connect, and what a browser asks for in the query. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from contract.cursors import Cursor, parse_cursor
from contract.frames import MAX_SUBSCRIBED
from contract.topics import is_pillow_id
from gateway.fanout.subscriptions import Filter


@dataclass(frozen=True, slots=True)
class Wish:
    """What a browser asked for when it connected."""

    filter: Filter
    since: Cursor | None


EVERYTHING: Final = Wish(None, None)

_PORTS: Final = {"http": ":80", "https": ":443"}


def origin_allowed(origin: str, host: str | None, allowed: Sequence[str]) -> bool:
    """Say whether a page of `origin` may listen to the gateway at `host`.

    Who sends no origin is no browser, and not asked: nothing here needs protection from it.
    The scheme is not compared: TLS often ends at a proxy in front.
    """
    if "*" in allowed or origin.lower() in (one.lower() for one in allowed):
        return True
    try:
        said = urlsplit(origin)
    except ValueError:
        return False
    site, own = said.netloc.lower(), (host or "").lower()
    # A browser leaves out the port that its scheme has anyway; not everybody in between does.
    return bool(site) and site in (own, own.removesuffix(_PORTS.get(said.scheme, "")))


def read_wish(pillows: Sequence[str], since: str | None) -> Wish | str:
    """Read the query; return the wish, or a sentence saying what is wrong with it.

    A cursor that is none, or of another process, only means that nothing can be resumed.
    """
    if len(pillows) > MAX_SUBSCRIBED:
        return f"{len(pillows)} pillows; name at most {MAX_SUBSCRIBED}, or none for all"
    wrong = next((name for name in pillows if not is_pillow_id(name)), None)
    if wrong is not None:
        return f"pillow id {wrong[:80]!r} is not one"
    return Wish(frozenset(pillows) or None, parse_cursor(since or ""))
