"""The MQTT broker: mosquitto where it is installed, else that of a Python package.

mosquitto is started by mosquitto/start with the configuration and the ACL of the containers, on
another port and in a folder of its own. The embedded broker has neither users nor an ACL; its
limits are in `EMBEDDED_LIMITS`. It is meant for a first look and not for a large fleet.
"""

import importlib.util
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from devstack import ports
from devstack.errors import CannotStart
from devstack.probes import mqtt_answers
from devstack.processes import ROOT, Program, Show, Timeouts

BrokerKind = Literal["auto", "mosquitto", "embedded"]
BROKER_KINDS: tuple[BrokerKind, ...] = get_args(BrokerKind)

User = Literal["poller", "gateway", "simulator"]

# On Debian sbin is not on a user's path, and Homebrew's is often missing from it.
SEARCH = os.pathsep.join(
    [os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"]
)

EMBEDDED_LIMITS = (
    "no passwords, no ACL, MQTT 3.1.1 only, retained states lost with the process, "
    "and a new QoS 1 subscriber is given no more than 100 of them"
)

# Only MQTT 3.1.1, which every client speaks: rumqttd 0.20 serves MQTT 5 on another port, and a
# publication with properties there disconnects every client of this port for good.
EMBEDDED_CONFIG = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 20000
max_segment_size = 10485760
max_segment_count = 4

[v4.1]
name = "v4"
listen = "{host}:{port}"
next_connection_delay_ms = 0
    [v4.1.connections]
    connection_timeout_ms = 5000
    max_payload_size = 327680
    max_inflight_count = 100
    dynamic_filters = true
"""


def choose(kind: BrokerKind) -> Literal["mosquitto", "embedded"]:
    """Return which broker is used; raises CannotStart when it is not installed."""
    installed = all(shutil.which(name, path=SEARCH) for name in ("mosquitto", "mosquitto_passwd"))
    if kind == "mosquitto" and not installed:
        raise CannotStart(
            "--broker mosquitto, but mosquitto is not installed: apt-get install mosquitto, "
            "brew install mosquitto, or --broker embedded"
        )
    if kind == "mosquitto" or (kind == "auto" and installed):
        return "mosquitto"
    if importlib.util.find_spec("iotcore") is None:
        raise CannotStart(
            "neither mosquitto nor the Python package iotcore is installed; run scripts/setup"
        )
    return "embedded"


class Broker(Program):
    """The MQTT broker on one port, with its data in a folder that is removed on close.

    `topic_prefix` is the prefix that the ACL grants; "+" grants every prefix of one level, for
    tests that share a broker. After a restart it has the retained states that it had saved:
    mosquitto saves on SIGTERM and every half minute, the embedded broker never.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        kind: BrokerKind = "auto",
        topic_prefix: str | None = None,
        show: Show | None = None,
    ) -> None:
        self.port = port or ports.free()
        self.kind = choose(kind)
        self._folder = Path(tempfile.mkdtemp(prefix="pillowcast-broker-"))
        env: dict[str, str | None] = {}
        command: list[str | Path]
        if self.kind == "mosquitto":
            data = self._folder / "data"
            data.mkdir()
            command = ["sh", ROOT / "mosquitto" / "start"]
            env = {
                "PATH": SEARCH,
                "MOSQUITTO_RUN": str(self._folder),
                "MOSQUITTO_DATA": str(data),
                "MOSQUITTO_LISTENER": f"{self.port} {ports.HOST}",
            }
            if topic_prefix is not None:
                env["TOPIC_PREFIX"] = topic_prefix
        else:
            config = self._folder / "rumqttd.toml"
            config.write_text(EMBEDDED_CONFIG.format(host=ports.HOST, port=self.port))
            command = [sys.executable, ROOT / "devstack" / "embedded.py", config]
        super().__init__(
            self.kind,
            command,
            ready=partial(mqtt_answers, ports.HOST, self.port),
            env=env,
            timeouts=Timeouts(ready_s=30.0, stop_s=5.0),
            show=show,
        )

    def protocol_for(self, wanted: str | None) -> str:
        """Return the value of `MQTT_PROTOCOL` for its clients: `wanted` if the broker supports it.

        An invalid value is returned unchanged, because the services report it.
        """
        return wanted or "5" if self.kind == "mosquitto" else "3.1.1"

    @property
    def url(self) -> str:
        """The broker's URL for a reader, which needs no password."""
        return f"mqtt://{ports.HOST}:{self.port}"

    def url_for(self, user: User) -> str:
        """Return the broker's URL with a service's user and password."""
        password = os.environ.get(f"MQTT_PASSWORD_{user.upper()}") or user
        return f"mqtt://{user}:{password}@{ports.HOST}:{self.port}"

    async def close(self) -> None:
        """Stop it, and remove its folder."""
        await super().close()
        shutil.rmtree(self._folder, ignore_errors=True)
