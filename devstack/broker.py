"""The MQTT broker: mosquitto where it is installed, else that of a Python package.

mosquitto is started by mosquitto/start with the configuration and the ACL of the containers, on
other ports and in a folder of its own. mosquitto/credentials makes its passwords. The embedded
broker has neither users nor an ACL; its limits are in `EMBEDDED_LIMITS`. It is meant for a first
look and not for a large fleet.
"""

import importlib.util
import os
import shutil
import subprocess
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

Service = Literal["poller", "gateway", "notifier", "recorder", "simulator"]
User = Literal[Service, "operator", "homeassistant"]
"""A user of the broker: a service, or the person who looks after it."""

# On Debian sbin is not on a user's path, and Homebrew's is often missing from it.
SEARCH = os.pathsep.join(
    [os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"]
)

# Kept, so that a client started by hand keeps its password, and the simulator finds its own.
CREDENTIALS = ROOT / ".devstack" / "credentials"

EMBEDDED_LIMITS = (
    "no passwords, no ACL, MQTT 3.1.1 only, retained states lost with the process, "
    "and a new QoS 1 subscriber of your own is given no more than 100 of them"
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


def wanted_kind(kind: BrokerKind) -> Literal["mosquitto", "embedded"]:
    """Return which broker is used; raises CannotStart for a mosquitto that is not installed."""
    installed = all(shutil.which(name, path=SEARCH) for name in ("mosquitto", "mosquitto_passwd"))
    if kind == "mosquitto" and not installed:
        raise CannotStart(
            "--broker mosquitto, but mosquitto is not installed: apt-get install mosquitto, "
            "brew install mosquitto, or --broker embedded"
        )
    if kind == "mosquitto" or (kind == "auto" and installed):
        return "mosquitto"
    return "embedded"


def choose(kind: BrokerKind) -> Literal["mosquitto", "embedded"]:
    """Return which broker is used; raises CannotStart when it is not installed."""
    wanted = wanted_kind(kind)
    if wanted == "embedded" and importlib.util.find_spec("iotcore") is None:
        raise CannotStart(
            "mosquitto is not used, and the Python package iotcore is not installed; run "
            "scripts/setup"
        )
    return wanted


class Broker(Program):
    """The MQTT broker on one port, with its data in a folder that is removed on close.

    `topic_prefix` is the prefix that the ACL grants; "+" grants every prefix of one level, for
    tests that share a broker. `credentials` is the folder of the passwords, which are made where
    they are missing; all stacks of this repository share one by default. `services_port` admits
    nobody without a password.
    After a restart it has the retained states that it had saved: mosquitto saves on SIGTERM and
    every half minute, the embedded broker never.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        kind: BrokerKind = "auto",
        topic_prefix: str | None = None,
        credentials: Path | None = None,
        show: Show | None = None,
    ) -> None:
        self.port = port or ports.free()
        self.services_port = self.port
        self.kind = choose(kind)
        self._folder = Path(tempfile.mkdtemp(prefix="pillowcast-broker-"))
        self._credentials = credentials or CREDENTIALS
        env: dict[str, str | None] = {"PATH": SEARCH, "CREDENTIALS": str(self._credentials)}
        command: list[str | Path]
        if self.kind == "mosquitto":
            self.services_port = ports.free()
            env |= self._configure_mosquitto(topic_prefix)
            command = ["sh", ROOT / "mosquitto" / "start"]
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
        self._run_script("credentials")

    def _configure_mosquitto(self, topic_prefix: str | None) -> dict[str, str | None]:
        run, data = self._folder / "run", self._folder / "data"
        # Started by root, mosquitto becomes a user that has to reach its folders.
        self._folder.chmod(0o711)
        for folder in (run, data):
            folder.mkdir()
        env: dict[str, str | None] = {
            "MOSQUITTO_RUN": str(run),
            "MOSQUITTO_DATA": str(data),
            "MOSQUITTO_LISTENER": f"{self.port} {ports.HOST}",
            "MOSQUITTO_SERVICES_LISTENER": f"{self.services_port} {ports.HOST}",
        }
        if topic_prefix is not None:
            env["TOPIC_PREFIX"] = topic_prefix
        return env

    def protocol_for(self, wanted: str | None) -> str:
        """Return the value of `MQTT_PROTOCOL` for its clients: `wanted` if the broker supports it.

        An invalid value is returned unchanged, because the services report it.
        """
        return wanted or "5" if self.kind == "mosquitto" else "3.1.1"

    @property
    def url(self) -> str:
        """The broker's URL for a reader, which needs no password."""
        return f"mqtt://{ports.HOST}:{self.port}"

    def reload(self) -> None:
        """Make the running mosquitto read passwords and ACL again; MQTT connections stay."""
        self._run_script("start", "reload")

    def credentials_command(self, *words: str) -> str:
        """Run mosquitto/credentials on the broker's passwords, and return what it prints."""
        return self._run_script("credentials", *words)

    def password_file(self, user: User) -> Path:
        """Return the file that has a user's password."""
        return self._credentials / user / "password"

    def password(self, user: User) -> str:
        """Return a user's password."""
        return self.password_file(user).read_text()

    def url_for(self, user: User, *, port: int | None = None) -> str:
        """Return the broker's URL with a user and its password; `port` is that of a proxy."""
        return f"mqtt://{user}:{self.password(user)}@{ports.HOST}:{port or self.port}"

    def env_for(self, user: User) -> dict[str, str | None]:
        """Return the settings of a service that signs in as `user`, without its password."""
        return {
            "MQTT_URL": f"mqtt://{user}@{ports.HOST}:{self.services_port}",
            "MQTT_URL_FILE": None,
            "MQTT_PASSWORD": None,
            "MQTT_PASSWORD_FILE": str(self.password_file(user)),
        }

    def _run_script(self, name: str, *words: str) -> str:
        done = subprocess.run(
            ["/bin/sh", ROOT / "mosquitto" / name, *words],
            env={
                **os.environ,
                **{name: value for name, value in self.env.items() if value is not None},
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise CannotStart(f"mosquitto/{name} failed: {done.stderr.strip()}")
        return done.stdout.strip()

    async def close(self) -> None:
        """Stop it, and remove its folder."""
        await super().close()
        shutil.rmtree(self._folder, ignore_errors=True)
