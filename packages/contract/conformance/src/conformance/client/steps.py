"""The steps of a session for clients: what the golden server does, and what the client must do."""

from typing import Any

import msgspec

from conformance.session_format import Transport


class Step(msgspec.Struct, tag_field="do", forbid_unknown_fields=True):
    """One step; `do` names it."""


class Accept(Step, tag="accept"):
    """The client connects, and is let in.

    It comes not sooner and not later than `after_s` behind the end of its last connection, asks for
    `pillows` (all if empty), and resumes from `since` (null: from nothing).
    """

    pillows: list[str] = []
    since: str | None = None
    after_s: tuple[float, float] = (0, 60)


class Refuse(Step, tag="refuse"):
    """The client connects, and gets this response.

    `problem` is the detail of a problem document, as a gateway sends it; `body` is the response of
    a proxy. `code` is the close code by which a gateway refuses a WebSocket: it accepts, sends an
    `error` with the reason, and closes.
    """

    status: int
    problem: str | None = None
    body: str = ""
    code: int | None = None
    headers: dict[str, str] = {}
    after_s: tuple[float, float] = (0, 60)


class NoAttempt(Step, tag="no attempt"):
    """The client does not connect for `for_s` seconds."""

    for_s: float


class Say(Step, tag="say"):
    """Send a frame: an object as compact JSON in the order of its keys, or a text as it is."""

    frame: dict[str, Any] | None = None
    text: str | None = None


class Hear(Step, tag="hear"):
    """The client sends a frame that matches, on a WebSocket; others may come before."""

    frame: dict[str, Any]
    within_s: float = 20


class Ping(Step, tag="ping"):
    """Send a ping of the WebSocket protocol; the client answers with its payload."""

    payload: str = "are you there"


class Close(Step, tag="close"):
    """Close with a code; an event stream just ends."""

    code: int


class Drop(Step, tag="drop"):
    """End the connection without a word, as a lost network does."""


class Report(Step, tag="report"):
    """The program under test reports this; `never` must not be among what it reports before."""

    line: dict[str, Any]
    never: dict[str, Any] | None = None
    within_s: float = 20


class End(Step, tag="end"):
    """The runner closes the program's standard input; the program closes its connection."""


AnyStep = Accept | Refuse | NoAttempt | Say | Hear | Ping | Close | Drop | Report | End


class Session(msgspec.Struct, forbid_unknown_fields=True):
    """A golden session. The program under test uses its `pillows` and `token`."""

    about: str
    steps: list[AnyStep]
    pillows: list[str] = []
    token: str = ""
    transports: tuple[Transport, ...] = ("websocket", "events")
