"""Access control on real connections: tokens in headers and messages, their end, revocations."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from gateway.auth.authenticator import Authenticator
from gateway.auth.grants import Grant, Refused
from gateway.auth.keys import KeySet, secret_key
from gateway.auth.revocations import Revocations
from gateway.auth.scope import Scope
from gateway.auth.shares import make_share
from gateway.auth.verifier import TokenRules, TokenVerifier
from gateway.transport import access
from gateway.transport.access import AccessControl
from tests.gateway import request
from tests.unit.gateway.servers import Served, read_to_end, serving
from tests.waiting import until

SECRET, SHARE_SECRET, SHARE_ID = "s" * 32, "t" * 32, "0123456789abcdef"


class Guarded:
    """A gateway that asks for tokens."""

    def __init__(self, served: Served, control: AccessControl, revocations: Revocations) -> None:
        self.served = served
        self.control = control
        self.revocations = revocations
        self.address = f"ws://127.0.0.1:{served.port}/ws"

    def dial(self, token: str | None = None, query: str = "", **options: Any) -> connect:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return connect(self.address + query, proxy=None, additional_headers=headers, **options)


@pytest.fixture
async def guarded() -> AsyncIterator[Guarded]:
    revocations = Revocations()
    verifier = TokenVerifier(
        TokenRules(("HS256",), leeway_ms=0),
        lambda: secret_key(SECRET),
        secret_key(SHARE_SECRET),
        revocations.__contains__,
        lambda _key_id: False,
    )
    control = AccessControl(Authenticator(verifier, lambda: time.time_ns() // 1_000_000))
    async with serving(access=control) as served:
        for pillow in ("cloud-1", "ward-1", "ward-2"):
            served.publish(pillow)
        yield Guarded(served, control, revocations)


def token(*pillows: str, lasts_s: float = 60) -> str:
    claims = {"exp": time.time() + lasts_s, "pillows": list(pillows)}
    return jwt.encode(claims, SECRET, algorithm="HS256")


async def received(connection: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        frame: dict[str, Any] = json.loads(await connection.recv())
        return frame


async def pillows(connection: ClientConnection) -> list[str]:
    frame = await received(connection)
    assert frame["type"] in ("snapshot", "update")
    return sorted(one["pillow"] for one in frame["pillows"])


async def close_code(connection: ClientConnection) -> int | None:
    async with asyncio.timeout(10):
        await connection.wait_closed()
    return connection.close_code


async def send_token(connection: ClientConnection, text: str) -> None:
    await connection.send(json.dumps({"type": "token", "token": text}))


@pytest.mark.parametrize(
    ("permitted", "seen"),
    [
        (["*"], ["cloud-1", "ward-1", "ward-2"]),
        (["ward-*"], ["ward-1", "ward-2"]),
        (["cloud-1", "ward-2", "nobody"], ["cloud-1", "ward-2"]),
        (["nobody"], []),
    ],
)
async def test_a_token_limits_snapshot_and_updates(
    guarded: Guarded, permitted: list[str], seen: list[str]
) -> None:
    async with guarded.dial(token(*permitted)) as connection:
        assert await pillows(connection) == seen
        for pillow in ("cloud-1", "ward-1", "ward-2", "nobody"):
            guarded.served.publish(pillow)
        got: list[str] = []
        expected = sorted(
            [*seen, *({"nobody"} & set(permitted or ())), *(["nobody"] if "*" in permitted else [])]
        )
        while len(got) < len(expected):
            got += await pillows(connection)
        assert sorted(got) == expected


async def test_a_token_may_come_as_a_subprotocol(guarded: Guarded) -> None:
    offers = [Subprotocol("pillowcast.v1"), Subprotocol(f"bearer.{token('cloud-1')}")]
    async with guarded.dial(subprotocols=offers) as connection:
        assert connection.subprotocol == "pillowcast.v1"
        assert await pillows(connection) == ["cloud-1"]


async def test_a_token_may_come_in_the_first_message(guarded: Guarded) -> None:
    async with guarded.dial(query="?pillow=ward-1") as connection:
        assert guarded.served.clients == 0
        await send_token(connection, token("ward-*"))
        assert await pillows(connection) == ["ward-1"]


async def test_a_subscription_before_the_token_counts(guarded: Guarded) -> None:
    async with guarded.dial() as connection:
        await connection.send('{"type":"subscribe","pillows":["ward-2"]}')
        await send_token(connection, token("ward-*"))
        assert await pillows(connection) == ["ward-2"]


async def test_the_token_of_a_refused_event_stream_is_checked_once(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For each request of a connection: the application that answers has the refusal."""
    checked: list[str] = []
    verify = TokenVerifier.verify

    def counted(verifier: TokenVerifier, text: str, now_ms: int) -> Grant | Refused:
        checked.append(text)
        return verify(verifier, text, now_ms)

    monkeypatch.setattr(TokenVerifier, "verify", counted)
    tokens = [token("cloud-1", lasts_s=-60), token("cloud-1") + "x"]
    sent = b"".join(
        request("/events", f"Authorization: Bearer {one}", f"Connection: {kept}")
        for one, kept in zip(tokens, ("keep-alive", "close"), strict=True)
    )
    async with guarded.served.dial(sent) as plain:
        answers = await read_to_end(plain)

    assert answers.count(b"HTTP/1.1 401 ") == 2
    assert [checked.count(one) for one in tokens] == [1, 1]


@pytest.mark.parametrize("query", ["?pillow=cloud-1", "?pillow=ward-1&pillow=cloud-1"])
async def test_a_pillow_that_is_not_permitted_is_refused(guarded: Guarded, query: str) -> None:
    async with guarded.dial(token("ward-*"), query) as connection:
        frame = await received(connection)
        assert (frame["type"], frame["code"]) == ("error", 4403)
        assert "cloud-1" in frame["message"]
        assert await close_code(connection) == 4403


async def test_a_later_subscription_is_limited_too(guarded: Guarded) -> None:
    async with guarded.dial(token("ward-*")) as connection:
        assert await pillows(connection) == ["ward-1", "ward-2"]
        await connection.send('{"type":"subscribe","pillows":["ward-2"]}')
        assert await pillows(connection) == ["ward-2"]
        await connection.send('{"type":"subscribe","pillows":"all"}')
        assert await pillows(connection) == ["ward-1", "ward-2"]
        await connection.send('{"type":"subscribe","pillows":["cloud-1"]}')
        assert await close_code(connection) == 4403


@pytest.mark.parametrize("text", ["", "nonsense", "a.b.c"])
async def test_a_token_that_is_none_ends_with_4401(guarded: Guarded, text: str) -> None:
    async with guarded.dial(text or "-") as connection:
        assert await close_code(connection) == 4401
    async with guarded.dial() as connection:
        await send_token(connection, text)
        assert await close_code(connection) == 4401
    await until(lambda: guarded.served.clients == 0, "unregistered")
    await until(lambda: len(guarded.served.registry) == 0, "forgotten")


async def test_a_client_without_a_token_ends_with_4408(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "TOKEN_TIMEOUT_S", 0.05)
    async with guarded.dial() as connection:
        await connection.send('{"type":"ping","sent":1}')
        assert await close_code(connection) == 4408


async def test_a_token_ends_with_4401_unless_it_is_renewed(guarded: Guarded) -> None:
    async with (
        guarded.dial(token("ward-1", lasts_s=1)) as ends,
        guarded.dial(token("ward-1", lasts_s=1)) as renewed,
    ):
        await send_token(renewed, token("ward-1"))
        assert await close_code(ends) == 4401
        assert await pillows(renewed) == ["ward-1"]
        guarded.served.publish("ward-1")
        assert await pillows(renewed) == ["ward-1"]


async def test_a_later_token_may_permit_other_pillows(guarded: Guarded) -> None:
    async with guarded.dial(token("ward-1")) as connection:
        assert await pillows(connection) == ["ward-1"]
        await send_token(connection, token("cloud-*"))
        assert await pillows(connection) == ["cloud-1"]
        guarded.served.publish("ward-1")
        guarded.served.publish("cloud-1")
        assert await pillows(connection) == ["cloud-1"]


async def test_a_revoked_share_link_closes_its_connections_and_no_others(guarded: Guarded) -> None:
    link = make_share(
        SHARE_ID, Scope(frozenset({"ward-1"})), SHARE_SECRET, now_s=int(time.time()), lasts_s=None
    )
    async with (
        guarded.dial(link.token) as shared,
        guarded.dial(token("ward-1")) as other,
    ):
        assert await pillows(shared) == await pillows(other) == ["ward-1"]
        assert guarded.revocations.receive(SHARE_ID, b"{}")
        guarded.control.revoke(SHARE_ID)
        assert await close_code(shared) == 4401
        guarded.served.publish("ward-1")
        assert await pillows(other) == ["ward-1"]
    async with guarded.dial(link.token) as again:
        assert await close_code(again) == 4401


async def test_an_event_stream_needs_a_token_in_its_header(guarded: Guarded) -> None:
    served = guarded.served
    with_token = request("/events", f"Authorization: Bearer {token('cloud-1', lasts_s=1)}")
    async with served.dial(with_token) as stream:
        text = (await read_to_end(stream)).decode()
    assert '"pillow":"cloud-1"' in text
    assert "ward" not in text
    assert '"code":4401' in text  # it expired


async def test_a_key_set_without_keys_lets_nobody_in() -> None:
    verifier = TokenVerifier(
        TokenRules(("RS256",)), KeySet, KeySet(), lambda _share: False, lambda _key_id: True
    )
    control = AccessControl(Authenticator(verifier, lambda: 0))
    async with serving(access=control) as served:
        text = jwt.encode({}, SECRET, algorithm="HS256")
        async with connect(
            f"ws://127.0.0.1:{served.port}/ws",
            proxy=None,
            additional_headers={"Authorization": f"Bearer {text}"},
        ) as connection:
            assert await close_code(connection) == 4401
