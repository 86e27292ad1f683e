"""A service as a process with its settings, and requests to its HTTP port."""

from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Final

import httpx

from devstack import ports
from devstack.broker import Broker, Service
from devstack.probes import http_answers
from devstack.processes import Program
from devstack.stack import COMMANDS
from tests.commands import run_to_end
from tests.metrics import sample

WITHIN_S: Final = 40.0
"""How long any step of a test may take on a busy machine, in seconds."""

COMMAND_S: Final = 120.0
"""How long a command may take there, most of which is the start of Python."""


class ServiceProcess(Program):
    """The command of a service that has health and metrics on one port."""

    service: ClassVar[Service]

    def __init__(
        self, prefix: str, broker: Broker, env: Mapping[str, str | None], *, name: str = ""
    ) -> None:
        """`env` has the settings of the service itself, and its port if a test chose one."""
        port_setting = f"{self.service.upper()}_PORT"
        self.port = int(env.get(port_setting) or ports.free())
        self.executable = COMMANDS / self.service
        super().__init__(
            name or self.service,
            [self.executable],
            ready=partial(http_answers, ports.HOST, self.port, "/readyz", status=200),
            env={
                "MQTT_URL": broker.url_for(self.service),
                "MQTT_PROTOCOL": "5",
                "TOPIC_PREFIX": prefix,
                "LOG_FORMAT": "console",
                "LOG_LEVEL": None,
                port_setting: str(self.port),
                **env,
            },
        )

    async def get(self, path: str) -> httpx.Response:
        """Request a path of its HTTP server."""
        async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
            return await client.get(f"http://{ports.HOST}:{self.port}{path}")

    async def metric(self, name: str) -> float:
        """Return a sample of /metrics by its name with labels; NaN if there is none."""
        return sample((await self.get("/metrics")).text, f"pillowcast_{self.service}_{name}")

    async def run_command(self, *words: str) -> tuple[str, str, int | None]:
        """Run a command with the same settings; returns its output, error output and status."""
        env = {name: value for name, value in self.env.items() if value is not None}
        out, err, status = await run_to_end(self.executable, *words, env=env, within_s=COMMAND_S)
        return out.decode(), err.decode(), status
