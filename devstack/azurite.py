"""The queue: Azurite from node_modules, on the Node.js of the machine or of a Python package."""

import json
import secrets
import shutil
from functools import partial
from pathlib import Path

from azure_queue import development_account
from devstack import ports
from devstack.errors import CannotStart
from devstack.node import find_node
from devstack.probes import http_answers
from devstack.processes import ROOT, Program, Show, Timeouts


def find_azurite() -> Path:
    """Return the path of Azurite's queue program in node_modules; raises CannotStart."""
    home = ROOT / "node_modules" / "azurite"
    try:
        described = json.loads((home / "package.json").read_text())
    except FileNotFoundError:
        raise CannotStart("Azurite is not in node_modules; run scripts/setup") from None
    return home / str(described["bin"]["azurite-queue"])


class Azurite(Program):
    """Azurite's queue service on one port; it stores messages in a folder.

    Without `location` the folder is its own, and is removed on close. It saves every five seconds
    and on SIGTERM; after SIGKILL the newest messages may be lost, or deleted ones be back.

    `in_memory` is for runs of less than a minute. Every minute Azurite removes the extents that no
    message uses any more. In memory each message has had one of its own, each removal sorts the
    index of all of them again, and no request is answered meanwhile: for more than a minute after
    10,000 messages. In a folder messages share extents of 64 MiB.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        location: Path | None = None,
        in_memory: bool = False,
        show: Show | None = None,
    ) -> None:
        self.port = port or ports.free()
        # Azurite makes it.
        self._own_folder = ROOT / ".devstack" / f"queue-{secrets.token_hex(4)}"
        where = ["--location", location or self._own_folder]
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
                *(["--inMemoryPersistence"] if in_memory else where),
            ],
            ready=partial(http_answers, ports.HOST, self.port, "/"),
            # Options for a debugger or a certificate are meant for other programs.
            env={"NODE_OPTIONS": None},
            # With a client connected it does not end on SIGTERM, but it saves at once.
            timeouts=Timeouts(stop_s=2.0 if location else 0.5),
            show=show,
        )

    async def close(self) -> None:
        """Stop it, and remove a folder of its own."""
        await super().close()
        shutil.rmtree(self._own_folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """The queue service's URL with the account, as the SDK and the Azure CLI expect it."""
        return development_account.queue_endpoint(self.port)

    @property
    def connection_string(self) -> str:
        """The value of AZURE_STORAGE_CONNECTION_STRING."""
        return development_account.connection_string(self.port)
