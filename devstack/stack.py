"""The stack: broker, queue and services, started in order, watched, and stopped in reverse.

async with Stack() as stack:            # free ports, nothing is printed
    stack.poller.kill()                 # SIGKILL
    await stack.poller.start()          # again, on the same port
    stack.broker.kill()
    ...
    await stack.broker.start()
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker, BrokerKind, Service
from devstack.errors import ProgramFailed
from devstack.ports import HOST, Ports
from devstack.probes import Probe, http_answers
from devstack.processes import ROOT, Program, Show

Env = Mapping[str, str | None]

COMMANDS = Path(sys.executable).parent
"""The folder of the services' commands: `uv sync` installs them beside the Python in use."""


class Stack:
    """The whole system on loopback. Each program can be stopped, killed and started again."""

    def __init__(
        self,
        wanted: Ports = Ports(),  # noqa: B008 - frozen
        *,
        broker: BrokerKind = "auto",
        simulator: bool = False,
        recorder: bool = False,
        history: str | None = None,
        env: Mapping[Service, Env] | None = None,
        show: Show | None = None,
    ) -> None:
        """`env` has variables for each service, which override those of the stack.

        `history` is the database of the recorder; a temporary one unless it is given.
        """
        self.ports = ports.settle(wanted)
        self._show = show
        self._env = dict(env or {})
        (ROOT / ".devstack").mkdir(exist_ok=True)
        # As short-lived as the broker's data: the journal of another stack has other pillows.
        self._journal = tempfile.mkdtemp(prefix="journal-", dir=ROOT / ".devstack")
        self._with_recorder = recorder
        self._history = history or f"sqlite:///{self._journal}/history.db"
        self.queue = Azurite(self.ports.queue, show=show)
        self.broker = Broker(self.ports.mqtt, kind=broker, show=show)
        self.poller = self.another_poller("poller", port=self.ports.poller)
        self.gateway = self.another_gateway(
            "gateway", port=self.ports.gateway, ops_port=self.ports.ops
        )
        self.simulator = self._service("simulator", "simulator", {})
        self._with_simulator = simulator
        self.recorder = self.another_recorder("recorder")
        self.stopping = False

    @property
    def page_url(self) -> str:
        """The URL of the page and, with a path, of the gateway's other endpoints."""
        return f"http://{HOST}:{self.ports.gateway}"

    @property
    def ops_url(self) -> str:
        """The URL of the gateway's health and metrics."""
        return f"http://{HOST}:{self.ports.ops}"

    @property
    def poller_url(self) -> str:
        """The URL of the poller's health and metrics."""
        return f"http://{HOST}:{self.ports.poller}"

    @property
    def mqtt_url(self) -> str:
        """The broker's URL for readers; `broker.url_for(user)` contains a password."""
        return self.broker.url

    @property
    def queue_url(self) -> str:
        """The URL of the queue service."""
        return self.queue.url

    @property
    def connection_string(self) -> str:
        """The queue service's connection string for the Azure SDK."""
        return self.queue.connection_string

    @property
    def parts(self) -> list[Program]:
        """Every program, in the order in which they are started."""
        return [
            self.broker, self.queue, self.poller, self.recorder, self.gateway, self.simulator
        ]  # fmt: skip

    def another_poller(self, name: str, *, port: int = 0, env: Env | None = None) -> Program:
        """Return a poller on the same queue and broker, not started. The caller stops it.

        It needs an INSTANCE of its own in `env` when it runs beside another.
        """
        journal = os.environ.get("POLLER_JOURNAL", self._journal)
        return self._one_port_service("poller", name, port, {"POLLER_JOURNAL": journal}, env)

    def another_recorder(self, name: str, *, port: int = 0, env: Env | None = None) -> Program:
        """Return a recorder on the same broker and database, not started. The caller stops it.

        It needs an INSTANCE of its own in `env` when it runs beside another.
        """
        return self._one_port_service("recorder", name, port, {"HISTORY_URL": self._history}, env)

    def another_gateway(
        self, name: str, *, port: int = 0, ops_port: int = 0, env: Env | None = None
    ) -> Program:
        """Return a gateway on the same broker, not started. The caller stops it.

        It needs an INSTANCE of its own in `env` when it runs beside another.
        """
        port, ops_port = port or ports.free(), ops_port or ports.free()
        return self._service(
            "gateway",
            name,
            {
                "GATEWAY_HOST": HOST,
                "GATEWAY_PORT": str(port),
                "GATEWAY_OPS_HOST": HOST,
                "GATEWAY_OPS_PORT": str(ops_port),
                "HISTORY_URL": self._history if self._with_recorder else None,
                **(env or {}),
            },
            partial(http_answers, HOST, ops_port, "/readyz", status=200),
        )

    async def start(self) -> None:
        """Start everything; raises ProgramFailed, after stopping what had been started."""
        try:
            await _together(self.broker, self.queue)
            recorder = (self.recorder,) if self._with_recorder else ()
            await _together(self.poller, self.gateway, *recorder)
            if self._with_simulator:
                await self.simulator.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the services, then the queue and the broker; they are not started again."""
        self.stopping = True
        await asyncio.gather(
            *(part.close() for part in (self.simulator, self.poller, self.recorder, self.gateway))
        )
        await asyncio.gather(*(part.close() for part in (self.queue, self.broker)))
        shutil.rmtree(self._journal, ignore_errors=True)

    def kill(self) -> None:
        """Send SIGKILL to every program."""
        for part in self.parts:
            part.kill()

    async def until_one_ends(self) -> Program:
        """Return the first program that ends without having been stopped from here."""
        while True:
            for part in self.parts:
                if part.ended_by_itself:
                    await part.wait()
                    return part
            waits: list[asyncio.Future[int]] = [
                asyncio.ensure_future(part.wait()) for part in self.parts if part.running
            ]
            try:
                # A test may have stopped all of them in order to start them again.
                if waits:
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(1)
            finally:
                for wait in waits:
                    wait.cancel()

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

    def _one_port_service(
        self, command: Service, name: str, port: int, own: Env, env: Env | None
    ) -> Program:
        """Return a service with health and metrics on one port; 0 stands for a free one."""
        port = port or ports.free()
        setting = command.upper()
        address = {f"{setting}_HOST": HOST, f"{setting}_PORT": str(port)}
        ready = partial(http_answers, HOST, port, "/readyz", status=200)
        return self._service(command, name, {**address, **own, **(env or {})}, ready)

    def _service(
        self, command: Service, name: str, env: Env, ready: Probe | None = None
    ) -> Program:
        return Program(
            name,
            [COMMANDS / command],
            ready=ready,
            env={
                # For a person; through a pipe the default would be JSON.
                "LOG_FORMAT": os.environ.get("LOG_FORMAT") or "console",
                **self.broker.env_for(command),
                "MQTT_PROTOCOL": self.broker.protocol_for(os.environ.get("MQTT_PROTOCOL")),
                "AZURE_STORAGE_CONNECTION_STRING": self.queue.connection_string,
                # If it were set, the services would not use the connection string.
                "AZURE_STORAGE_QUEUE_ENDPOINT": None,
                **env,
                **self._env.get(command, {}),
            },
            show=self._show,
        )


async def _together(*parts: Program) -> None:
    """Start programs concurrently; raises the first failure after cancelling the other starts."""
    try:
        async with asyncio.TaskGroup() as starts:
            for part in parts:
                starts.create_task(part.start())
    except* ProgramFailed as failed:
        first = failed.exceptions[0]
    else:
        return
    # Raised here, because an exception raised inside except* becomes a group.
    raise first
