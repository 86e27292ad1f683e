"""The steps of a session for gateways: what the runner does, and what the gateway must answer."""

from typing import Any, Literal

import msgspec

from conformance.session_format import Transport


class Step(msgspec.Struct, tag_field="do", forbid_unknown_fields=True):
    """One step; `do` names it."""


class Publish(Step, tag="publish"):
    """Publish a state of a pillow, retained. `name` is what `<state NAME>` refers to.

    `payload` is published as it is, with `{NAME}` replaced; without it the state is made of
    `state`, `seq`, `fields` and the present.
    """

    pillow: str
    name: str = ""
    state: str = "neutral"
    seq: int | None = None
    ago_s: float = 0
    fields: dict[str, Any] = {}
    payload: str | None = None


class PublishMany(Step, tag="publish many"):
    """Publish `count` states of a pillow with growing `seq`, each of about `bytes` bytes.

    `name` is that of the last one.
    """

    pillow: str
    count: int
    bytes: int
    name: str


class Remove(Step, tag="remove"):
    """Publish an empty retained state: the pillow is removed."""

    pillow: str


class Availability(Step, tag="availability"):
    """Publish the availability of a pillow, retained."""

    pillow: str
    value: Literal["online", "offline"]


class Connect(Step, tag="connect"):
    """Open a stream. `token` are the claims of a token, or a text that is sent as it is.

    `by` says how the token is sent. A `slow` client has small buffers, and reads only in steps
    that expect something.
    """

    client: str
    pillows: list[str] = []
    since: str | None = None
    headers: dict[str, str] = {}
    token: dict[str, Any] | str | None = None
    by: Literal["header", "subprotocol", "message"] = "header"
    slow: bool = False


class Disconnect(Step, tag="disconnect"):
    """Close a stream without another word."""

    client: str


class Send(Step, tag="send"):
    """Send a frame, or a text as it is, or a text of `bytes` blanks; `times` in a row.

    With a token's claims in `token`, a frame `token`; with `names`, a `subscribe` to so many ids.
    """

    client: str
    frame: dict[str, Any] | None = None
    text: str | None = None
    bytes: int | None = None
    names: int | None = None
    token: dict[str, Any] | str | None = None
    times: int = 1


class Expect(Step, tag="expect"):
    """Receive a frame; heartbeats and what concerns pillows of others only are skipped.

    With `after_others`, other frames may come before it. With `whole`, a snapshot of several frames
    is received whole, and compared as one that has the first frame's fields and all pillows.
    """

    client: str
    frame: dict[str, Any]
    within_s: float = 20
    after_others: bool = False
    whole: bool = False


class ExpectStates(Step, tag="expect states"):
    """Receive these states, byte for byte and in this order, in one or several updates."""

    client: str
    states: list[str]


class ExpectNewest(Step, tag="expect newest"):
    """Receive updates until this state comes; no state of its pillow may be older than another.

    With `every`, each `seq` up to it has to come; a client that did not read may miss some.
    """

    client: str
    state: str
    every: bool = False


class ExpectClose(Step, tag="expect close"):
    """The gateway refuses or ends the stream with a close code, and says why before it.

    On an event stream: with the status of that code and a problem document, or with an error event.
    """

    client: str
    code: int
    within_s: float = 20


class Request(Step, tag="request"):
    """Send a request; the response has this status, and a body that matches."""

    path: str
    status: int
    body: Any = None
    headers: dict[str, str] = {}
    method: str = "GET"
    token: dict[str, Any] | str | None = None
    media_type: str | None = None
    within_s: float = 20


class Control(Step, tag="control"):
    """Do something to the gateway or its broker, by the operator's command of this name."""

    action: Literal["restart", "broker-stop", "broker-start"]


AnyStep = (
    Publish
    | PublishMany
    | Remove
    | Availability
    | Connect
    | Disconnect
    | Send
    | Expect
    | ExpectStates
    | ExpectNewest
    | ExpectClose
    | Request
    | Control
)


class Session(msgspec.Struct, forbid_unknown_fields=True):
    """A golden session. `needs` are what the operator has to provide: see the README.

    Each name in `pillows` stands for an id that no other run has, `{NAME}` in texts.
    """

    about: str
    steps: list[AnyStep]
    pillows: list[str] = []
    transports: tuple[Transport, ...] = ("websocket",)
    profile: Literal["open", "auth", "full"] = "open"
    needs: list[Literal["restart", "broker", "alone"]] = []
