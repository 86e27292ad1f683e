"""The recorder as a process."""

import sys
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx

from devstack import ports
from devstack.broker import Broker
from devstack.probes import http_answers
from devstack.processes import Program
from tests.commands import run_to_end
from tests.metrics import sample

COMMAND: Final = Path(sys.executable).parent / "recorder"
WITHIN_S: Final = 10.0


class Recorder(Program):
    """The command with a SQLite database in a folder, and an HTTP port."""

    def __init__(self, folder: Path, prefix: str, broker: Broker, **given: str) -> None:
        self.port = ports.free()
        self.url = f"sqlite:///{folder}/history.db"
        env: dict[str, str | None] = {
            "MQTT_URL": broker.url_for("recorder"),
            "MQTT_PROTOCOL": "5",
            "TOPIC_PREFIX": prefix,
            "INSTANCE": f"i{uuid4().hex[:12]}",
            "HISTORY_URL": self.url,
            "RECORDER_PORT": str(self.port),
            "LOG_FORMAT": "console",
            "LOG_LEVEL": None,
        }
        super().__init__(
            "recorder",
            [COMMAND],
            ready=partial(http_answers, ports.HOST, self.port, "/readyz", status=200),
            env=env | given,
        )

    async def get(self, path: str) -> httpx.Response:
        """Request a path of its HTTP server."""
        async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
            return await client.get(f"http://{ports.HOST}:{self.port}{path}")

    async def metric(self, name: str) -> float:
        """Return a sample of /metrics by its name with labels; NaN if there is none."""
        return sample((await self.get("/metrics")).text, f"pillowcast_recorder_{name}")

    async def run_command(self, *words: str) -> tuple[str, str, int | None]:
        """Run a command with the same settings; returns its output, error output and status."""
        env = {name: value for name, value in self.env.items() if value is not None}
        out, err, status = await run_to_end(COMMAND, *words, env=env, within_s=WITHIN_S)
        return out.decode(), err.decode(), status
