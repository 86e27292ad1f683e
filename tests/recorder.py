"""The recorder as a process."""

from pathlib import Path
from uuid import uuid4

from devstack.broker import Broker
from tests.service_process import ServiceProcess


class Recorder(ServiceProcess):
    """The command with a SQLite database in a folder."""

    service = "recorder"

    def __init__(self, folder: Path, prefix: str, broker: Broker, **given: str) -> None:
        self.url = f"sqlite:///{folder}/history.db"
        settings = {"INSTANCE": f"i{uuid4().hex[:12]}", "HISTORY_URL": self.url}
        super().__init__(prefix, broker, settings | given)
