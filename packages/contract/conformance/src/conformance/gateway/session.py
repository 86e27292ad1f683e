"""One run of a session against a gateway: its steps, one after another."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

import aiomqtt
import httpx
import websockets

from conformance.gateway import steps
from conformance.gateway.expectations import Expectations
from conformance.gateway.streams import Address, http_client, open_events, open_websocket
from conformance.gateway.target import Target, timestamp
from conformance.gateway.tokens import signed
from conformance.patterns import Names, Received, mismatches
from conformance.session_format import SUBPROTOCOL, Failure, Transport

STEP_S: Final = 30.0
"""How long a step may take that has no time of its own."""

FAULTS: Final = (
    AssertionError,
    OSError,
    httpx.HTTPError,
    websockets.InvalidHandshake,
    aiomqtt.MqttError,
)


class SessionRun:
    """A session on one transport, with ids of pillows that no other run has."""

    def __init__(self, session: steps.Session, transport: Transport, target: Target) -> None:
        self._session = session
        self._transport = transport
        self._target = target
        run = uuid4().hex[:10]
        self._names = Names({name: f"k{run}-{name}" for name in session.pillows})
        self._expectations = Expectations(target.published, self._names, f"k{run}-")

    async def run(self) -> None:
        """Run every step. Raises Failure with the number of the step that failed."""
        actions: dict[type, Callable[[Any], Awaitable[None]]] = {
            steps.Publish: self._publish,
            steps.PublishMany: self._publish_many,
            steps.Remove: self._remove,
            steps.Availability: self._availability,
            steps.Connect: self._connect,
            steps.Disconnect: self._disconnect,
            steps.Send: self._send,
            steps.Expect: self._expectations.expect,
            steps.ExpectStates: self._expectations.expect_states,
            steps.ExpectNewest: self._expectations.expect_newest,
            steps.ExpectClose: self._expectations.expect_close,
            steps.Request: self._request,
            steps.Control: self._control,
        }
        try:
            for number, step in enumerate(self._session.steps, 1):
                name = step.__struct_config__.tag
                limit_s = getattr(step, "within_s", STEP_S)
                try:
                    async with asyncio.timeout(limit_s):
                        await actions[type(step)](step)
                except TimeoutError:
                    came = self._expectations.last
                    raise Failure(
                        f"step {number} ({name}): nothing that fits in {limit_s} s; last: {came}"
                    ) from None
                except FAULTS as error:
                    raise Failure(f"step {number} ({name}): {error}") from None
        finally:
            await self._expectations.close_all()

    async def _publish(self, step: steps.Publish) -> None:
        pillow = self._names.texts[step.pillow]
        if step.payload is None:
            at = timestamp(step.ago_s)
            fields: dict[str, Any] = {"pillow": pillow, "state": step.state, "at": at}
            if step.seq is not None:
                fields["seq"] = step.seq
            payload = json.dumps(self._names.fill({**fields, **step.fields})).encode()
        else:
            self._names.texts["now"] = timestamp(step.ago_s)
            payload = self._names.fill(step.payload).encode()
        if step.name:
            self._names.states[step.name] = payload
        await self._target.publisher.state(pillow, payload)

    async def _publish_many(self, step: steps.PublishMany) -> None:
        pillow, at, padding = self._names.texts[step.pillow], timestamp(), "x" * step.bytes
        payloads = [
            json.dumps(
                {"pillow": pillow, "state": "hugging", "at": at, "seq": seq, "padding": padding}
            ).encode()
            for seq in range(1, step.count + 1)
        ]
        self._names.states[step.name] = payloads[-1]
        await self._target.publisher.states(pillow, payloads)

    async def _remove(self, step: steps.Remove) -> None:
        await self._target.publisher.state(self._names.texts[step.pillow], b"")

    async def _availability(self, step: steps.Availability) -> None:
        await self._target.publisher.availability(self._names.texts[step.pillow], step.value)

    async def _connect(self, step: steps.Connect) -> None:
        headers, subprotocols = dict(step.headers), [SUBPROTOCOL]
        token = self._token(step.token)
        if token is not None and (step.by == "header" or self._transport == "events"):
            headers["Authorization"] = f"Bearer {token}"
        elif token is not None and step.by == "subprotocol":
            subprotocols.append(f"bearer.{token}")
        address = Address(
            self._target.url,
            [self._names.fill(one) for one in step.pillows],
            self._names.fill(step.since),
            headers,
            subprotocols,
            step.slow,
        )
        if self._transport == "events":
            stream: Any = await open_events(address, self._target.published)
        else:
            stream = await open_websocket(address)
        self._expectations.streams[step.client] = stream
        if token is not None and step.by == "message" and self._transport == "websocket":
            await stream.send(json.dumps({"type": "token", "token": token}))

    async def _disconnect(self, step: steps.Disconnect) -> None:
        await self._expectations.streams.pop(step.client).close()

    async def _send(self, step: steps.Send) -> None:
        token = self._token(step.token)
        if token is not None:
            text = json.dumps({"type": "token", "token": token})
        elif step.names is not None:
            pillows = [f"pillow-{number}" for number in range(step.names)]
            text = json.dumps({"type": "subscribe", "pillows": pillows})
        elif step.frame is not None:
            text = json.dumps(self._names.fill(step.frame))
        else:
            text = self._names.fill(step.text) if step.bytes is None else " " * step.bytes
        stream = self._expectations.streams[step.client]
        for _ in range(step.times):
            await stream.send(text)

    async def _request(self, step: steps.Request) -> None:
        headers = dict(step.headers)
        token = self._token(step.token)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        path, deadline = self._names.fill(step.path), time.monotonic() + step.within_s - 1
        async with http_client(STEP_S) as client:
            while True:
                url = f"{self._target.url}{path}"
                response = await client.request(step.method, url, headers=headers)
                faults = self._response_faults(step, path, response)
                # A state that was published may still be on its way.
                if not faults or time.monotonic() > deadline:
                    break
                await asyncio.sleep(0.05)
        assert not faults, f"{step.method} {path}: {'; '.join(faults)}"

    def _response_faults(
        self, step: steps.Request, path: str, response: httpx.Response
    ) -> list[str]:
        if response.status_code != step.status:
            return [f"status {response.status_code}, not {step.status}: {response.text[:200]}"]
        faults = self._target.published.response_errors(
            step.method, path, response.status_code, response.headers, response.content
        )
        if step.media_type is not None:
            media_type = response.headers.get("content-type", "").partition(";")[0]
            faults += [f"{media_type}, not {step.media_type}"] * (media_type != step.media_type)
        if step.body is not None and not faults:
            now_ms = round(time.time() * 1000)
            received = Received(response.json(), response.content, now_ms)
            faults += mismatches(step.body, self._expectations.own(received), self._names)
        return faults

    async def _control(self, step: steps.Control) -> None:
        await self._target.controls[step.action]()
        if step.action == "restart":
            await self._target.wait_until_alive()

    def _token(self, token: dict[str, Any] | str | None) -> str | None:
        if isinstance(token, dict):
            return signed(self._names.fill(token), self._target.secret, int(time.time()))
        return token
