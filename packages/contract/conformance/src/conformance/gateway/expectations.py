"""What the clients of a session receive, and what they have to."""

import asyncio
import contextlib
import json
from typing import Any, Final

from conformance.gateway import steps
from conformance.gateway.streams import Ended, Stream
from conformance.patterns import Names, Received, mismatches
from conformance.published import Published

GOODBYE_CODE: Final = 1012


class Expectations:
    """The streams of a session, and the checks of what is received on them.

    Every frame is checked with the AsyncAPI document too. `own_prefix` begins the ids of the
    session's pillows: frames about other pillows are ignored, because a gateway may have any.
    """

    def __init__(self, published: Published, names: Names, own_prefix: str) -> None:
        self.streams: dict[str, Stream] = {}
        self.last = "nothing"
        """The frame that came last, for a message."""
        self._published = published
        self._names = names
        self._own_prefix = own_prefix

    async def expect(self, step: steps.Expect) -> None:
        """Receive the frame of a step."""
        while True:
            received = await self._next(step.client, step.frame.get("type"))
            if step.whole:
                received = await self._whole(step.client, received)
            faults = mismatches(step.frame, received, self._names)
            if not faults:
                return
            if not step.after_others:
                raise AssertionError(f"{'; '.join(faults)} in {self.last}")

    async def expect_states(self, step: steps.ExpectStates) -> None:
        """Receive states, byte for byte and in their order."""
        waiting = list(step.states)
        while waiting:
            received = await self._next(step.client, "update")
            assert received.value["type"] == "update", f"no update: {self.last}"
            for state in received.value["pillows"]:
                assert waiting, f"a state too many: {self.last}"
                faults = mismatches(
                    f"<state {waiting.pop(0)}>",
                    Received(state, received.data, received.now_ms),
                    self._names,
                )
                assert not faults, "; ".join(faults)

    async def expect_newest(self, step: steps.ExpectNewest) -> None:
        """Receive updates until a state comes."""
        newest = json.loads(self._names.states[step.state])
        last_seq: int | None = None
        while last_seq != newest["seq"]:
            received = await self._next(step.client, "update")
            for state in received.value.get("pillows", ()):
                if not isinstance(state, dict) or state["pillow"] != newest["pillow"]:
                    continue
                seq = state["seq"]
                if last_seq is not None:
                    assert seq > last_seq, f"the pillow went back from {last_seq} to {seq}"
                    assert not step.every or seq == last_seq + 1, f"{seq} follows {last_seq}"
                last_seq = seq

    async def expect_close(self, step: steps.ExpectClose) -> None:
        """Receive the end of a stream, and the reason before it."""
        said: int | None = None
        stream = self.streams[step.client]
        while True:
            received = await stream.receive()
            if isinstance(received, Ended):
                break
            self._check(stream, received)
            frame = received.value
            if frame["type"] == "error":
                said = frame["code"]
            elif frame["type"] == "goodbye":
                said = GOODBYE_CODE
        code = received.code
        if stream.channel == "events" and code is None:
            code = said  # an event stream ends without a code
        assert code == step.code, f"closed with {code} ({received.detail}), not {step.code}"
        if stream.channel == "stream" and code in self._published.close_codes:
            assert said == step.code, (
                f"closed with {code}, and no frame said why; last: {self.last}"
            )

    async def close_all(self) -> None:
        """Close every stream."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.gather(
                    *(stream.close() for stream in self.streams.values()), return_exceptions=True
                )

    def own(self, received: Received) -> Received:
        """Return what was received without the pillows of others."""
        value = received.value
        if isinstance(value, dict) and isinstance(value.get("pillows"), list):
            value = {**value, "pillows": [one for one in value["pillows"] if self._is_own(one)]}
        return Received(value, received.data, received.now_ms)

    async def _whole(self, client: str, first: Received) -> Received:
        """Return a snapshot with the pillows of the frames that follow it."""
        pillows, data, last = list(first.value["pillows"]), first.data, first
        while last.value.get("more"):
            last = await self._next(client, "snapshot")
            if last.value["type"] == "snapshot":
                pillows += last.value["pillows"]
                data += last.data
        return Received({**first.value, "pillows": pillows}, data, first.now_ms)

    async def _next(self, client: str, wanted: str | None) -> Received:
        """Receive the next frame that is about this session."""
        stream = self.streams[client]
        while True:
            received = await stream.receive()
            if isinstance(received, Ended):
                raise AssertionError(f"the stream ended: {received.code} {received.detail}")
            self._check(stream, received)
            own = self.own(received)
            kind = own.value["type"]
            is_empty = kind in ("update", "removed") and not own.value["pillows"]
            if not is_empty and (kind != "heartbeat" or wanted == "heartbeat"):
                return own

    def _check(self, stream: Stream, received: Received) -> None:
        text = received.data.decode()
        self.last = text if len(text) < 300 else f"{text[:300]}…"
        faults = self._published.frame_errors(received.value, channel=stream.channel)
        assert not faults, f"not as documented: {'; '.join(faults)} in {self.last}"

    def _is_own(self, pillow: Any) -> bool:
        name = pillow["pillow"] if isinstance(pillow, dict) else pillow
        return str(name).startswith(self._own_prefix)
