"""The queue: Azurite from node_modules, on the machine's Node.js or a Python package's."""

import json
from functools import partial
from pathlib import Path

from azure_queue import development_account
from devstack import ports
from devstack.errors import CannotStart
from devstack.node import find_node
from devstack.probes import http_answers
from devstack.processes import ROOT, Program, Show


def find_azurite() -> Path:
    """Azurite's queue program in node_modules."""
    home = ROOT / "node_modules" / "azurite"
    try:
        described = json.loads((home / "package.json").read_text())
    except FileNotFoundError:
        raise CannotStart("Azurite is not in node_modules; run scripts/setup") from None
    return home / str(described["bin"]["azurite-queue"])


class Azurite(Program):
    """Azurite's queue on one port; in memory, or in a folder that outlives it.

    In memory, a start again is a start with nothing, not even the queues. In a folder, it saves
    every five seconds and when asked to end: a killed one may lose, or bring back, the newest.
    """

    def __init__(
        self, port: int = 0, *, location: Path | None = None, show: Show | None = None
    ) -> None:
        self.port = port or ports.free()
        where = ["--location", location] if location else ["--inMemoryPersistence"]
        super().__init__(
            "azurite",
            [
                find_node(),
                find_azurite(),
                "--queueHost",
                ports.HOST,
                "--queuePort",
                str(self.port),
                "--silent",
                "--disableTelemetry",
                "--skipApiVersionCheck",
                *where,
            ],
            ready=partial(http_answers, ports.HOST, self.port, "/"),
            # Its own wish for a debugger or a certificate is none of ours.
            env={"NODE_OPTIONS": None},
            # With a client connected it does not leave on SIGTERM; what it saves it saves at once.
            stop_within_s=2.0 if location else 0.5,
            show=show,
        )

    @property
    def url(self) -> str:
        """Its address with the account, as the SDK and the Azure CLI want it."""
        return development_account.queue_endpoint(self.port)

    @property
    def connection_string(self) -> str:
        """What goes into AZURE_STORAGE_CONNECTION_STRING."""
        return development_account.connection_string(self.port)
