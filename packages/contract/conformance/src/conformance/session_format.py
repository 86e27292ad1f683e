"""What golden sessions for gateways and for clients have in common."""

from importlib.resources import files
from typing import Final, Literal, TypeVar

import msgspec

SUBPROTOCOL: Final = "pillowcast.v1"

Transport = Literal["websocket", "events"]

S = TypeVar("S", bound=msgspec.Struct)


class Failure(Exception):
    """The gateway or client does not conform; the message has what was expected and what came."""


def read_sessions(kind: str, session: type[S]) -> dict[str, S]:
    """Return the sessions for `gateway` or `client`, by the names of their files."""
    folder = files("conformance") / "sessions" / kind
    return {
        path.name.removesuffix(".json"): msgspec.json.decode(path.read_bytes(), type=session)
        for path in sorted(folder.iterdir(), key=lambda one: one.name)
        if path.name.endswith(".json")
    }
