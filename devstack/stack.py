"""Broker, queue and services as one: started in order, watched, stopped in reverse.

async with Stack() as stack:            # free ports, no output
    stack.poller.kill()                 # SIGKILL
    await stack.poller.start()          # and back, at the same address
    stack.broker.kill()
    ...
    await stack.broker.start()
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker, BrokerKind, User
from devstack.errors import ProgramFailed
from devstack.ports import HOST, Ports
from devstack.probes import Probe, http_answers
from devstack.processes import Program, Show

Env = Mapping[str, str | None]

COMMANDS = Path(sys.executable).parent
"""Where `uv sync` has put the services' commands: beside the Python that runs this."""


class Stack:
    """The whole system on loopback. Each part can be stopped, killed and started again."""

    def __init__(
        self,
        wanted: Ports = Ports(),  # noqa: B008 - frozen
        *,
        broker: BrokerKind = "auto",
        simulator: bool = False,
        env: Mapping[User, Env] | None = None,
        show: Show | None = None,
    ) -> None:
        """`env` is for each service by its name, over the environment and what is set here."""
        self.ports = ports.settle(wanted)
        self._show = show
        self._env = dict(env or {})
        self.queue = Azurite(self.ports.queue, show=show)
        self.broker = Broker(self.ports.mqtt, kind=broker, show=show)
        self.poller = self.another_poller("poller", port=self.ports.poller)
        self.gateway = self.another_gateway("gateway", port=self.ports.gateway)
        self.simulator = self._service("simulator", "simulator", {})
        self._with_simulator = simulator
        self.stopping = False

    @property
    def page_url(self) -> str:
        """The page's address, and with it that of the gateway's other endpoints."""
        return f"http://{HOST}:{self.ports.gateway}"

    @property
    def poller_url(self) -> str:
        """Where the poller's health and metrics are."""
        return f"http://{HOST}:{self.ports.poller}"

    @property
    def mqtt_url(self) -> str:
        """The broker's address for readers; `broker.url_for(user)` has a password in it."""
        return self.broker.url

    @property
    def queue_url(self) -> str:
        """The queue service's address."""
        return self.queue.url

    @property
    def connection_string(self) -> str:
        """How the Azure SDK reaches the queue service."""
        return self.queue.connection_string

    @property
    def parts(self) -> list[Program]:
        """Every program, in the order of starting."""
        return [self.broker, self.queue, self.poller, self.gateway, self.simulator]

    def another_poller(self, name: str, *, port: int = 0, env: Env | None = None) -> Program:
        """A poller on the same queue and broker, not started; its end is the caller's to see to.

        Give it an INSTANCE of its own in `env` when it runs beside another.
        """
        port = port or ports.free()
        return self._service(
            "poller",
            name,
            {"POLLER_HOST": HOST, "POLLER_PORT": str(port), **(env or {})},
            partial(http_answers, HOST, port, "/readyz", status=200),
        )

    def another_gateway(self, name: str, *, port: int = 0, env: Env | None = None) -> Program:
        """A gateway on the same broker, not started; its end is the caller's to see to.

        Give it an INSTANCE of its own in `env` when it runs beside another.
        """
        port = port or ports.free()
        return self._service(
            "gateway",
            name,
            {"GATEWAY_HOST": HOST, "GATEWAY_PORT": str(port), **(env or {})},
            partial(http_answers, HOST, port, "/readyz", status=200),
        )

    async def start(self) -> None:
        """Start everything; on a failure stop what had been started, and raise ProgramFailed."""
        try:
            await _together(self.broker, self.queue)
            await _together(self.poller, self.gateway)
            if self._with_simulator:
                await self.simulator.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything for good: the services, then what they stand on."""
        self.stopping = True
        await asyncio.gather(
            *(part.close() for part in (self.simulator, self.poller, self.gateway))
        )
        await asyncio.gather(*(part.close() for part in (self.queue, self.broker)))

    def kill(self) -> None:
        """End every program at once (SIGKILL)."""
        for part in self.parts:
            part.kill()

    async def until_one_ends(self) -> Program:
        """Wait for a program to end that nobody here has asked to."""
        while True:
            for part in self.parts:
                if part.ended_by_itself:
                    await part.wait()
                    return part
            lives: list[asyncio.Future[int]] = [
                asyncio.ensure_future(part.wait()) for part in self.parts if part.running
            ]
            try:
                # A test may have stopped them all, to start them again.
                if lives:
                    await asyncio.wait(lives, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(1)
            finally:
                for life in lives:
                    life.cancel()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def _service(self, command: User, name: str, env: Env, ready: Probe | None = None) -> Program:
        return Program(
            name,
            [COMMANDS / command],
            ready=ready,
            env={
                # A person reads these; a pipe would make them JSON.
                "LOG_FORMAT": os.environ.get("LOG_FORMAT") or "console",
                "MQTT_URL": self.broker.url_for(command),
                "MQTT_PROTOCOL": self.broker.protocol_for(os.environ.get("MQTT_PROTOCOL")),
                "AZURE_STORAGE_CONNECTION_STRING": self.queue.connection_string,
                # Set, it would win over the connection string.
                "AZURE_STORAGE_QUEUE_ENDPOINT": None,
                **env,
                **self._env.get(command, {}),
            },
            show=self._show,
        )


async def _together(*parts: Program) -> None:
    """Start parts side by side; the first that fails ends the others' starts and is raised."""
    try:
        async with asyncio.TaskGroup() as starts:
            for part in parts:
                starts.create_task(part.start())
    except* ProgramFailed as failed:
        first = failed.exceptions[0]
    else:
        return
    # An exception raised above, inside except*, would come out as a group.
    raise first
