"""A poller and a gateway on one broker and queue, and an operator's environment beside them."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from ops.commands.explain import sources_of
from ops.doctor.examination import examine
from ops.doctor.plan import checks_of
from ops.doctor.subject import load_subject
from ops.explain.facts import Facts
from ops.explain.sources import gather
from ops.explain.verdict import Verdict, why
from ops.findings import Finding, Level
from runtime.clocks import unix_ms
from tests.gateway import Gateway
from tests.poller import Poller

_OURS = (
    "POLLER_",
    "GATEWAY_",
    "NOTIFIER_",
    "LOG_",
    "POISON_",
    "AZURE_",
    "QUEUE_",
    "MQTT_",
    "TOPIC_",
    "INSTANCE",
)


class Deployment:
    """The processes, and what an operator has in the environment."""

    def __init__(self, broker: Broker, azurite: Azurite, **gateway: Any) -> None:
        self.prefix, self.queue = f"t{uuid4().hex[:12]}", f"q{uuid4().hex[:12]}"
        self.broker, self.azurite = broker, azurite
        self.storage = {
            "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
            "QUEUE_NAME": self.queue,
        }
        self.poller = Poller(
            self.queue, self.prefix, broker, INSTANCE="p1", POLLER_POLL_MAX="0.2", **self.storage
        )
        self.gateway = Gateway(broker, self.prefix, INSTANCE="g1", **gateway)

    @property
    def env(self) -> dict[str, str]:
        """The settings of both services, with the operator's user."""
        return {
            **self.storage,
            "MQTT_URL": self.broker.url_for("operator"),
            "TOPIC_PREFIX": self.prefix,
            "POLLER_PORT": str(self.poller.port),
            "GATEWAY_PORT": str(self.gateway.port),
            "GATEWAY_OPS_PORT": str(self.gateway.ops_port),
            "POLLER_JOURNAL": "/tmp",
        }


@asynccontextmanager
async def deployed(broker: Broker, azurite: Azurite, **gateway: Any) -> AsyncIterator[Deployment]:
    """Run both services."""
    deployment = Deployment(broker, azurite, **gateway)
    async with deployment.poller, deployment.gateway:
        yield deployment


@contextmanager
def environment(env: Mapping[str, str]) -> Iterator[None]:
    """Have these settings in the environment, and no other."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    with patch.dict(os.environ, {**kept, **env}, clear=True):
        yield


async def doctor(env: Mapping[str, str], **urls: str) -> list[Finding]:
    """Return what `pillowcast doctor` finds in an environment, where a check may take longer."""
    with environment(env):
        subject, settings = load_subject(
            urls.get("poller"), urls.get("gateway"), frozenset(("poller", "gateway"))
        )
        return [*settings.list, *await examine(checks_of(subject), deadline_s=40)]


def wrong(findings: list[Finding]) -> list[str]:
    """Return the lines of what is wrong."""
    return [
        f"{one.area} {one.name}: {one.detail} -> {one.advice}"
        for one in findings
        if one.level is Level.WRONG
    ]


async def explain(env: Mapping[str, str], pillow: str, token: str | None = None) -> Verdict:
    """Return the verdict of `pillowcast explain`."""

    with environment(env):
        subject, _ = load_subject(None, None, frozenset(("poller", "gateway")))
        facts = Facts(pillow, unix_ms())
        await gather(facts, sources_of(subject, None, token))
        facts.now_ms = unix_ms()
    return why(facts)


def free_port() -> str:
    """Return a port on which nothing listens."""
    return str(ports.free())
