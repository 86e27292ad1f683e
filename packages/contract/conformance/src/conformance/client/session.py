"""One run of a session against a client: the golden server's steps, one after another."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from websockets.frames import Opcode

from conformance.client import steps
from conformance.client.program import Program
from conformance.client.server import PROBLEM_HEADERS, Attempt, GoldenServer, compact, problem
from conformance.patterns import Names, Received, mismatches
from conformance.published import Published
from conformance.session_format import Failure, Transport

STEP_S: Final = 30.0
LATE_S: Final = 5.0
"""How much longer is waited for an attempt, so that one that is late is named."""

EARLY_S: Final = 0.05
"""By how much a timer may be early: clocks are read before and behind the network."""


class SessionRun:
    """A session, its server and the program under test."""

    def __init__(self, session: steps.Session, program: Program, published: Published) -> None:
        self._session = session
        self._program = program
        self._published = published
        self._server = GoldenServer()
        self._names = Names()
        self._attempt: Attempt | None = None
        self._ended_s: float | None = None

    async def run(self, transport: Transport) -> None:
        """Run every step. Raises Failure with the number of the step that failed."""
        actions: dict[type, Callable[[Any], Awaitable[None]]] = {
            steps.Accept: self._accept,
            steps.Refuse: self._refuse,
            steps.NoAttempt: self._no_attempt,
            steps.Say: self._say,
            steps.Hear: self._hear,
            steps.Ping: self._ping,
            steps.Close: self._close,
            steps.Drop: self._drop,
            steps.Report: self._report,
            steps.End: self._end,
        }
        await self._server.start()
        await self._program.start(self._server.url, self._session, transport)
        try:
            for number, step in enumerate(self._session.steps, 1):
                limit_s = getattr(step, "within_s", STEP_S)
                if isinstance(step, steps.Accept | steps.Refuse):
                    limit_s = step.after_s[1] + LATE_S
                try:
                    async with asyncio.timeout(limit_s):
                        await actions[type(step)](step)
                except TimeoutError:
                    raise self._failure(number, step, f"nothing in {limit_s} s") from None
                except (AssertionError, OSError) as error:
                    raise self._failure(number, step, str(error)) from None
        finally:
            await self._program.stop()
            await self._server.close()

    def _failure(self, number: int, step: steps.AnyStep, text: str) -> Failure:
        said = "; ".join(self._program.lines[-5:]) or "nothing"
        name = step.__struct_config__.tag
        return Failure(f"step {number} ({name}): {text}; the program has reported: {said}")

    async def _accept(self, step: steps.Accept) -> None:
        attempt = await self._next(step.after_s)
        assert sorted(attempt.pillows) == sorted(step.pillows), (
            f"asks for {attempt.pillows or 'all'}, not {step.pillows or 'all'}"
        )
        assert attempt.since == step.since, f"since={attempt.since}, not {step.since}"
        if self._session.token and not attempt.is_websocket:
            bearer = attempt.headers.get("authorization")
            assert bearer == f"Bearer {self._session.token}", f"Authorization is {bearer}"
        assert self._session.token not in attempt.path or not self._session.token, (
            "a token in a URL"
        )
        await attempt.accept()
        self._attempt = attempt

    async def _refuse(self, step: steps.Refuse) -> None:
        attempt = await self._next(step.after_s)
        self._note_end()
        if step.code is not None and attempt.is_websocket:
            await attempt.accept()
            error = {"type": "error", "code": step.code, "message": step.problem or ""}
            await attempt.send(compact(error).decode())
            await attempt.close(step.code)
        elif step.problem is not None:
            headers = {**PROBLEM_HEADERS, **step.headers}
            await attempt.refuse(step.status, headers, problem(step.status, step.problem))
        else:
            headers = {"Content-Type": "text/html", **step.headers}
            await attempt.refuse(step.status, headers, step.body.encode())

    async def _no_attempt(self, step: steps.NoAttempt) -> None:
        try:
            async with asyncio.timeout(step.for_s):
                await self._server.next()
        except TimeoutError:
            return
        raise AssertionError(f"the client has connected again within {step.for_s} s")

    async def _say(self, step: steps.Say) -> None:
        text = compact(step.frame).decode() if step.text is None else step.text
        await self._connected().send(text)

    async def _hear(self, step: steps.Hear) -> None:
        faults: list[str] = []
        attempt = self._connected()
        if not attempt.is_websocket:
            return  # an event stream cannot send
        try:
            async with asyncio.timeout(step.within_s - 1):
                while True:
                    frame = await attempt.receive()
                    if frame.opcode is Opcode.TEXT and not (
                        faults := self._faults(step, bytes(frame.data))
                    ):
                        return
        except TimeoutError:
            raise AssertionError(f"no such frame in time; last: {'; '.join(faults)}") from None

    def _faults(self, step: steps.Hear, data: bytes) -> list[str]:
        value = json.loads(data)
        errors = self._published.request_errors(value)
        assert not errors, f"the client sent what is no frame: {'; '.join(errors)}"
        return mismatches(step.frame, Received(value, data, round(time.time() * 1000)), self._names)

    async def _ping(self, step: steps.Ping) -> None:
        if self._connected().is_websocket:
            await self._connected().ping(step.payload.encode())

    async def _close(self, step: steps.Close) -> None:
        self._note_end()
        await self._connected().close(step.code)

    async def _drop(self, _step: steps.Drop) -> None:
        self._note_end()
        await self._connected().drop()

    async def _report(self, step: steps.Report) -> None:
        while True:
            line = await self._program.next_line()
            received = Received(json.loads(line), line.encode(), round(time.time() * 1000))
            if not mismatches(step.line, received, self._names):
                return
            if step.never is not None:
                assert mismatches(step.never, received, self._names), f"it reports {line}"

    async def _end(self, _step: steps.End) -> None:
        self._program.close_input()
        await self._connected().has_ended()

    async def _next(self, after_s: tuple[float, float]) -> Attempt:
        attempt = await self._program.while_it_runs(self._server.next())
        if self._ended_s is not None:
            waited_s = attempt.at_s - self._ended_s
            shortest, longest = after_s
            assert shortest - EARLY_S <= waited_s <= longest, (
                f"came back after {waited_s:.2f} s, not within {shortest} to {longest} s"
            )
        return attempt

    def _connected(self) -> Attempt:
        assert self._attempt is not None, "the session has accepted no connection"
        return self._attempt

    def _note_end(self) -> None:
        """Record when the connection ends; called before, because the client may learn it first."""
        self._ended_s = asyncio.get_running_loop().time()
