"""The MQTT session with mosquitto, rumqttd, NATS and RabbitMQ: what each delivers, and is said.

docs/operating.md has the table of what each broker can do.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Final, Literal

import pytest

from contract.topics import OFFLINE, ONLINE, Topics
from devstack import ports
from devstack.broker import SEARCH, Broker
from devstack.probes import mqtt_answers
from devstack.processes import Program
from runtime.mqtt import SessionLimits
from tests.integration.test_mqtt_session import PATIENCE_S, Proxy, Session, reader, within
from tests.machine import need_mosquitto
from tests.mqtt_brokers import NatsBroker, RabbitMqBroker, need_nats, need_rabbitmq
from tests.waiting import until

Kind = Literal["mosquitto", "rumqttd", "nats", "rabbitmq"]
AnyBroker = Broker | NatsBroker | RabbitMqBroker

STATES: Final[dict[Kind, int]] = {"mosquitto": 5000, "rumqttd": 5000, "nats": 5000, "rabbitmq": 200}
"""How many retained states a broker holds here."""


@pytest.fixture(scope="module", params=list(STATES))
async def started(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Kind, AnyBroker]]:
    """Each broker, started once for this module: RabbitMQ takes ten seconds."""
    kind: Kind = request.param
    broker: AnyBroker
    if kind == "mosquitto":
        need_mosquitto()
        broker = Broker(kind="mosquitto", topic_prefix="+")
    elif kind == "rumqttd":
        broker = Broker(kind="embedded")
    elif kind == "nats":
        need_nats()
        broker = NatsBroker()
    else:
        need_rabbitmq()
        broker = RabbitMqBroker()
    async with broker:
        yield kind, broker


def url_of(broker: AnyBroker) -> str:
    """Return the URL for a client that reads and writes."""
    return broker.url_for("poller") if isinstance(broker, Broker) else broker.url


@pytest.mark.timeout(180)
async def test_a_session_is_ready_with_every_retained_state_or_says_that_there_is_none(
    started: tuple[Kind, AnyBroker], prefix: str
) -> None:
    """All are known when it becomes ready; RabbitMQ delivers none to a wildcard."""
    kind, broker = started
    topics, count = Topics(prefix), STATES[kind]
    url = url_of(broker)
    async with Session(url, topics, protocol="3.1.1", instance="writer") as writer:
        await writer.ready()
        for start in range(0, count, 500):
            sent = [
                writer.session.publish(topics.state(f"cloud-{n}"), b"%d" % n, retain=True)
                for n in range(start, min(count, start + 500))
            ]
            await within(asyncio.gather(*sent))

    for attempt in range(3):
        filters = (topics.all_states, topics.all_availability)
        instance = f"reader-{attempt}"
        async with Session(
            url, topics, protocol="3.1.1", instance=instance, filters=filters
        ) as session:
            await session.ready()
            delivers = kind != "rabbitmq"

            # rumqttd sends a hundred with QoS 1, and then all with QoS 0.
            assert len(set(session.payloads)) == (count if delivers else 0)
            assert session.received_when_ready == [len(session.payloads)]
            assert session.session.delivers_retained is delivers
            assert (session.session.limitation is None) == delivers


@pytest.mark.timeout(180)
async def test_a_live_state_arrives_and_the_status_is_kept(
    started: tuple[Kind, AnyBroker], prefix: str
) -> None:
    """A contrary status, as a late last will publishes it, is put right."""
    _, broker = started
    topics, url = Topics(prefix), url_of(broker)
    status = topics.status("poller", "one")
    async with (
        Session(url, topics, protocol="3.1.1", instance="other") as other,
        Session(
            url, topics, protocol="3.1.1", instance="one", filters=[topics.all_states]
        ) as session,
    ):
        await other.ready()
        await session.ready()
        await within(other.session.publish(topics.state("cloud-1"), b"live"))
        await until(lambda: session.payloads == [b"live"], "the live state")
        await within(other.session.publish(status, OFFLINE, retain=True))
        await until(lambda: session.session.status_repetitions == 1, "online is published again")


def mosquitto(folder: Path, *, queue: int, window: int) -> tuple[Program, str]:
    """Return a mosquitto with these limits, and its URL."""
    port = ports.free()
    (folder / "mosquitto.conf").write_text(
        f"listener {port} {ports.HOST}\nallow_anonymous true\nuser root\n"
        f"max_inflight_messages {window}\nmax_queued_messages {queue}\n"
    )
    program = Program(
        "mosquitto",
        ["mosquitto", "-c", folder / "mosquitto.conf"],
        ready=partial(mqtt_answers, ports.HOST, port),
        env={"PATH": SEARCH},
    )
    return program, f"mqtt://{ports.HOST}:{port}"


async def publish_retained(url: str, topics: Topics, count: int) -> None:
    """Publish `count` retained states."""
    async with Session(url, topics, instance="writer") as writer:
        await writer.ready()
        sent = [
            writer.session.publish(topics.state(f"cloud-{n}"), b"%d" % n, retain=True)
            for n in range(count)
        ]
        await within(asyncio.gather(*sent))


async def test_a_retained_set_that_mosquitto_cuts_short_is_never_ready(
    tmp_path: Path, prefix: str
) -> None:
    """1,500 retained, a queue of 1,000 and a window of 200: 300 are discarded without a word."""
    need_mosquitto()
    program, url = mosquitto(tmp_path, queue=1000, window=200)
    topics, limits = Topics(prefix), SessionLimits(response_timeout_s=1)
    async with program:
        await publish_retained(url, topics, 1500)
        for protocol in ("5", "3.1.1"):
            async with Session(
                url, topics, protocol=protocol, instance="cut", filters=[topics.all_states],
                limits=limits,
            ) as session:  # fmt: skip
                await until(
                    lambda: "discarded the rest" in session.session.last_error,
                    "the reason",
                    within_s=PATIENCE_S,
                )

                assert session.times_ready == 0
                assert "max_queued_messages" in session.session.last_error


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_retained_set_is_had_one_message_at_a_time(
    tmp_path: Path, prefix: str, protocol: Literal["5", "3.1.1"]
) -> None:
    """Then the mark with QoS 0 comes first, and the set takes longer than the settle time."""
    need_mosquitto()
    program, url = mosquitto(tmp_path, queue=0, window=1)
    topics, limits = Topics(prefix), SessionLimits(settle_s=0.05)
    async with program:
        await publish_retained(url, topics, 500)
        async with Session(
            url, topics, protocol=protocol, instance="one", filters=[topics.all_states],
            limits=limits,
        ) as session:  # fmt: skip
            await session.ready()

            assert session.received_when_ready == [500]


async def test_a_late_last_will_of_a_dead_predecessor_does_not_stay(
    broker: Broker, prefix: str
) -> None:
    """It died behind a frozen link; the broker notices after one and a half keepalives."""
    topics = Topics(prefix)
    status = topics.status("poller", "test")
    limits = SessionLimits(keepalive_s=1)
    async with Proxy(broker.port) as proxy, reader(broker, status) as seen:
        behind = broker.url_for("poller", port=proxy.port)
        async with Session(behind, topics, limits=limits) as first:
            await first.ready()
            proxy.freeze()
            async with Session(broker.url_for("poller"), topics) as second:
                await second.ready()
                await until(
                    lambda: [payload for payload, _ in seen][-2:] == [OFFLINE, ONLINE],
                    "the late last will, and online again",
                )

                assert second.losses == 0
