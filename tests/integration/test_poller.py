"""The poller as its users run it: the command, between real Azurite and real mosquitto."""

import asyncio
import base64
import json
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient
from prometheus_client.parser import text_string_to_metric_families

from contract.timestamps import format_timestamp
from contract.updates import Update, decode_state
from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from devstack.probes import http_answers
from devstack.processes import Program
from tests.machine import need_mosquitto
from tests.queue_client import queue_client
from tests.waiting import POLL_S

# Several processes are started and killed in one test; a busy machine takes its time.
pytestmark = pytest.mark.timeout(180)

COMMAND = Path(sys.executable).parent / "poller"
EXAMPLES = Path(__file__).parents[2] / "packages" / "contract" / "examples" / "messages.json"

WITHIN_S = 40.0
"""How long anything here may take on a busy machine."""


class Poller(Program):
    """The command with its settings, on a port of its own."""

    def __init__(self, queue: str, prefix: str, broker: Broker, **given: str) -> None:
        self.port = ports.free()
        self.instance = given.setdefault("INSTANCE", "one")
        self.prefix = prefix
        env: dict[str, str | None] = {
            "MQTT_URL": broker.url_for("poller"),
            "MQTT_PROTOCOL": "5",
            "TOPIC_PREFIX": prefix,
            "AZURE_STORAGE_QUEUE_ENDPOINT": None,
            "QUEUE_NAME": queue,
            "POISON_QUEUE_NAME": None,
            "POLLER_HOST": ports.HOST,
            "POLLER_PORT": str(self.port),
            "LOG_FORMAT": "console",
            "LOG_LEVEL": None,
        }
        super().__init__(
            f"poller {self.instance}",
            [COMMAND],
            ready=partial(http_answers, ports.HOST, self.port, "/readyz", status=200),
            env=env | given,
        )

    async def get(self, path: str) -> httpx.Response:
        """Ask its HTTP server."""
        async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
            return await client.get(f"http://{ports.HOST}:{self.port}{path}")

    async def count(self, name: str, **labels: str) -> int:
        """What one of its counters says, over all labels that are not given."""
        families = text_string_to_metric_families((await self.get("/metrics")).text)
        return sum(
            int(sample.value)
            for family in families
            for sample in family.samples
            if sample.name == f"pillowcast_poller_{name}_total"
            and labels.items() <= sample.labels.items()
        )

    async def check_books(self) -> dict[str, int]:
        """At rest every delivery has ended in exactly one way."""
        names = ("received", "published", "superseded", "dead_lettered", "retried")
        books = {name: await self.count(name) for name in names}
        assert books["received"] == sum(books.values()) - books["received"], books
        return books

    async def ends(self) -> int:
        """Wait for its end; return its exit status."""
        async with asyncio.timeout(WITHIN_S):
            return await self.wait()


@asynccontextmanager
async def spawned(poller: Poller) -> AsyncIterator[Poller]:
    """A poller that is started but need not get ready; killed at the end if need be."""
    await poller.spawn()
    try:
        yield poller
    finally:
        poller.kill()
        await poller.wait()


@asynccontextmanager
async def created_queue(azurite: Azurite, queue: str) -> AsyncIterator[QueueClient]:
    """The SDK as anyone else uses it, with the queue made."""
    async with queue_client(azurite.connection_string, queue) as client:
        try:
            await client.get_queue_properties()
        except ResourceNotFoundError:
            await client.create_queue()
        yield client


async def put(azurite: Azurite, queue: str, texts: list[str], *, at_once: int = 8) -> None:
    """Put messages on a queue, a few at a time."""
    async with created_queue(azurite, queue) as client:
        for start in range(0, len(texts), at_once):
            await asyncio.gather(*map(client.send_message, texts[start : start + at_once]))


async def poison(azurite: Azurite, queue: str) -> list[str]:
    """Take everything off the poison queue."""
    async with created_queue(azurite, f"{queue}-poison") as client:
        return [message.content async for message in client.receive_messages(messages_per_page=32)]


async def eventually(
    condition: Callable[[], Awaitable[bool]], what: str, *, within_s: float = WITHIN_S
) -> None:
    """Return when a question is answered with yes; fail with `what` if it is not in time."""
    deadline = time.monotonic() + within_s
    while not await condition():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        await asyncio.sleep(5 * POLL_S)


async def emptied(azurite: Azurite, queue: str, *pollers: Poller) -> None:
    """Wait until the queue holds nothing, visible or leased, and nobody has anything in hand."""

    async def is_empty() -> bool:
        if (await client.get_queue_properties()).approximate_message_count:
            return False
        said = [(await poller.get("/metrics")).text for poller in pollers]
        return all("pillowcast_poller_in_hand 0.0" in text for text in said)

    async with created_queue(azurite, queue) as client:
        await eventually(is_empty, f"{queue} empty")


@asynccontextmanager
async def heard(broker: Broker, topic: str) -> AsyncIterator[list[aiomqtt.Message]]:
    """Everything published under a topic from now on, and what is retained there."""
    messages: list[aiomqtt.Message] = []

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            messages.append(message)  # noqa: PERF401 - whoever waits looks at them meanwhile

    async with aiomqtt.Client(ports.HOST, broker.port, protocol=aiomqtt.ProtocolVersion.V5) as one:
        await one.subscribe(topic, qos=1)
        listening = asyncio.create_task(listen(one))
        try:
            yield messages
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def states(broker: Broker, prefix: str, count: int) -> dict[str, Update]:
    """The retained states, once there are `count` of them."""
    found: dict[str, Update] = {}
    async with heard(broker, f"{prefix}/+/state") as messages:

        async def all_there() -> bool:
            for message in messages:
                pillow = str(message.topic).split("/")[-2]
                update = decode_state(pillow, payload(message))
                assert isinstance(update, Update), update
                found[pillow] = update
            return len(found) >= count

        await eventually(all_there, f"{count} states")
    return found


def payload(message: aiomqtt.Message) -> bytes:
    """What a message carries; every one here is bytes."""
    assert isinstance(message.payload, bytes)
    return message.payload


def numbered(number: int) -> str:
    """A message that nobody can mistake for another: each number is a pillow of its own."""
    return f'{{"pillow":"n-{number}","state":"hugging","seq":{number}}}'


def on(azurite: Azurite) -> str:
    """A shorter way to say it."""
    return azurite.connection_string


GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": (
        (
            '{"pillow":"plain","state":"hugging","at":"2025-11-22T06:00:00.123Z","seq":7,'
            '"confidence":0.93,"battery":0.81,"motion":[[0,0,1]]}'
        ),
        {
            "state": "hugging",
            "at": "2025-11-22T06:00:00.123Z",
            "seq": 7,
            "confidence": 0.93,
            "battery": 0.81,
            "motion": [[0, 0, 1]],
        },
    ),
    "packed": (
        base64.b64encode(b'{"pillow":"packed","state":"punching"}').decode(),
        {"state": "punching"},
    ),
    "alias": ('{"pillow":"alias","state":"Spin"}', {"state": "spinning"}),
    "old": (
        '{"pillow":"old","state":"neutral","at":"1970-01-01T00:00:00Z"}',
        {"at": "1970-01-01T00:00:00Z"},
    ),
    "ahead": (
        '{"pillow":"ahead","state":"neutral","at":"2999-01-01T00:00:00Z"}',
        {"clock": "ahead"},
    ),
    "more": (
        '{"pillow":"more","state":"throwing","mood":{"of":["\N{FOX FACE}",1.50]}}',
        {"mood": {"of": ["\N{FOX FACE}", 1.5]}},
    ),
    "twice": ('{"pillow":"twice","state":"hugging","state":"shaking"}', {"state": "shaking"}),
}
WORDS = {
    "HUGGING": "hugging",
    "punch": "punching",
    "('SHAKING', 'NEUTRAL')": "shaking",
    "c3Bpbm5pbmc=": "spinning",
}


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_every_good_form_arrives_retained_with_its_hops(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str, protocol: str
) -> None:
    """Over both versions of MQTT alike; the queue is empty afterwards, and the books balance."""
    texts = [text for text, _ in GOOD.values()]
    before_ms = int(time.time() * 1000)
    await put(azurite, queue_name, [*texts, *WORDS])
    poller = Poller(
        queue_name,
        prefix,
        broker,
        MQTT_PROTOCOL=protocol,
        AZURE_STORAGE_CONNECTION_STRING=on(azurite),
        POLLER_DEFAULT_PILLOW="sofa",
    )
    async with heard(broker, f"{prefix}/#") as messages, poller:
        await emptied(azurite, queue_name, poller)
        kept = await states(broker, prefix, len(GOOD) + 1)
        books = await poller.check_books()
        assert await poller.count("deleted", outcome="deleted") == len(texts) + len(WORDS)

    assert books["published"] + books["superseded"] == len(texts) + len(WORDS)
    assert kept.keys() == {*GOOD, "sofa"}
    for pillow, (_, expected) in GOOD.items():
        said = json.loads(kept[pillow].payload)
        assert said["pillow"] == pillow
        assert expected.items() <= said.items()
        hops = said["hops"]
        assert before_ms - 1000 <= hops["queued"] <= hops["published"], "whole seconds in Azure"
        assert before_ms <= hops["polled"] <= hops["published"] <= time.time() * 1000
    words = [
        json.loads(payload(one))["state"]
        for one in messages
        if str(one.topic) == f"{prefix}/sofa/state"
    ]
    assert words, "the bare words' pillow"
    assert set(words) <= set(WORDS.values())
    assert all(one.qos == 1 for one in messages)
    if protocol == "5":
        properties = [one.properties for one in messages if str(one.topic).endswith("/state")]
        assert {getattr(one, "ContentType", None) for one in properties} == {"application/json"}
        assert {getattr(one, "PayloadFormatIndicator", None) for one in properties} == {1}


async def test_every_bad_message_is_kept_word_for_word_and_announced(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """All of the contract's examples that a queue takes, good and bad, in one go."""
    cases = [(case, text_of(case)) for case in json.loads(EXAMPLES.read_text())["cases"]]
    carried = [(case, text) for case, text in cases if text is not None and is_carried(text)]
    bad = [(case["dead_letter"], text) for case, text in carried if "dead_letter" in case]
    assert len(bad) > 60
    await put(azurite, queue_name, [text for _, text in carried])

    poller = Poller(queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=on(azurite))
    topic = f"{prefix}/bridge/poller/one/dead-letter"
    async with heard(broker, topic) as letters, poller:
        await emptied(azurite, queue_name, poller)
        books = await poller.check_books()
        for reason, expected in Counter(reason for reason, _ in bad).items():
            assert await poller.count("dead_lettered", reason=reason) == expected
        assert (await poller.get("/readyz")).status_code == 200

    assert books["received"] == len(carried)
    assert books["dead_lettered"] == len(bad)
    assert Counter(await poison(azurite, queue_name)) == Counter(text for _, text in bad)
    announced = [json.loads(payload(letter)) for letter in letters]
    assert Counter((one["reason"], one["text"]) for one in announced) == Counter(
        (reason, text[:512]) for reason, text in bad
    )
    assert all(one["detail"] and one["attempts"] == 1 for one in announced)
    assert len({one["message"] for one in announced}) == len(bad)
    assert "Traceback" not in poller.log.text


def text_of(case: dict[str, Any]) -> str | None:
    """A case's message as text; None for one that is bytes which no queue message can be."""
    if "repeat" in case:
        made = case["repeat"]
        return str(made["before"] + made["text"] * made["times"] + made["after"])
    return case.get("text")


def is_carried(text: str) -> bool:
    """Whether a queue takes a message: 64 KiB, of characters that XML has."""
    return len(text.encode()) <= 65_536 and all(
        character >= " " or character in "\t\n\r" for character in text
    )


async def test_a_message_the_queue_cannot_hand_out_takes_no_other_with_it(
    broker: Broker, azurite: Azurite, prefix: str, queue_name: str
) -> None:
    """Azurite takes a control character, and then fails every page that holds it."""
    good = [f'{{"pillow":"p{number}","state":"hugging"}}' for number in range(24)]
    await put(azurite, queue_name, good[:12], at_once=1)
    await put(azurite, queue_name, ["hello \x01 world"])
    await put(azurite, queue_name, good[12:], at_once=1)

    async with Poller(
        queue_name,
        prefix,
        broker,
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
        POLLER_VISIBILITY_TIMEOUT="3",
    ) as poller:
        arrived = await states(broker, prefix, len(good))

        assert {f"p{number}" for number in range(24)} == set(arrived)
        assert await poller.count("dead_lettered") == 0


async def test_a_message_received_too_often_is_a_dead_letter(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """Somebody has taken it three times and never ended it; three are allowed."""
    async with created_queue(azurite, queue_name) as client:
        await client.send_message(numbered(1))
        for _ in range(3):
            async for message in client.receive_messages(max_messages=1):
                await client.update_message(message.id, message.pop_receipt, visibility_timeout=0)
    poller = Poller(
        queue_name,
        prefix,
        broker,
        AZURE_STORAGE_CONNECTION_STRING=on(azurite),
        POLLER_MAX_ATTEMPTS="3",
    )
    async with poller:
        await emptied(azurite, queue_name, poller)
        assert await poller.count("dead_lettered", reason="too-many-attempts") == 1

    assert await poison(azurite, queue_name) == [numbered(1)]


async def test_it_says_how_it_is_and_what_it_counts(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """Alive, ready with each dependency by name, and Prometheus text."""
    poller = Poller(queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=on(azurite))
    async with poller:
        alive, ready, metrics = [
            await poller.get(path) for path in ("/healthz", "/readyz", "/metrics")
        ]

    assert (alive.status_code, alive.text) == (200, "ok\n")
    assert ready.json() == {"ready": True, "dependencies": {"queue": "ok", "mqtt": "ok"}}
    assert "pillowcast_poller_broker_up 1.0" in metrics.text
    assert "pillowcast_poller_queue_up 1.0" in metrics.text
    assert metrics.headers["content-type"].startswith("text/plain")


async def test_a_sigterm_finishes_says_offline_and_exits_with_zero(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """In order, well before the deadline, with nothing left leased."""
    poller = Poller(queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=on(azurite))
    status = f"{prefix}/bridge/poller/one/status"
    async with heard(broker, status) as said, poller:
        await put(azurite, queue_name, [numbered(number) for number in range(64)])
        poller.terminate()
        assert await poller.ends() == 0
        await eventually(lambda: is_last(said, b"offline"), "offline")

    assert [payload(one) for one in said if not one.retain] == [b"online", b"offline"]
    async with heard(broker, status) as kept:
        await eventually(lambda: is_last(kept, b"offline"), "offline, retained")
    assert "Traceback" not in poller.log.text
    assert "stopped" in poller.log.text
    async with created_queue(azurite, queue_name) as client:
        left = [one async for one in client.receive_messages(messages_per_page=32)]
    found = await states(broker, prefix, 64 - len(left))
    assert found.keys() | {json.loads(one.content)["pillow"] for one in left} == {
        f"n-{number}" for number in range(64)
    }


async def is_last(messages: list[aiomqtt.Message], expected: bytes) -> bool:
    """Whether the newest message says so."""
    return bool(messages) and payload(messages[-1]) == expected


async def test_a_killed_poller_loses_nothing(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """SIGKILL twice in the midst of 300 numbered messages: each is published, or kept as poison."""
    numbers = range(300)
    poller = Poller(
        queue_name,
        prefix,
        broker,
        AZURE_STORAGE_CONNECTION_STRING=on(azurite),
        POLLER_VISIBILITY_TIMEOUT="2",
    )
    async with heard(broker, f"{prefix}/+/state") as published, poller:
        putting = asyncio.create_task(
            put(azurite, queue_name, [numbered(number) for number in numbers])
        )
        for passed in (40, 120):

            async def have_passed(passed: int = passed) -> bool:
                return len(published) >= passed

            await eventually(have_passed, f"{passed} published")
            poller.kill()
            await poller.ends()
            await poller.start()
        await putting
        await emptied(azurite, queue_name, poller)
        await poller.check_books()
        found = {int(one.removeprefix("n-")) for one in await states(broker, prefix, 1)}
        buried = [json.loads(text)["seq"] for text in await poison(azurite, queue_name)]

    seen = {int(str(one.topic).split("/")[1].removeprefix("n-")) for one in published}
    assert seen | set(buried) == set(numbers)
    assert found <= seen


async def test_a_broker_killed_and_restarted_costs_nothing(
    azurite: Azurite, prefix: str, queue_name: str
) -> None:
    """What was on its way is sent again, and what the broker forgot is told again."""
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix=prefix) as broker:
        poller = Poller(queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=on(azurite))
        async with poller:
            putting = asyncio.create_task(
                put(azurite, queue_name, [numbered(number) for number in range(300)])
            )

            async def under_way() -> bool:
                return await poller.count("published") >= 40

            await eventually(under_way, "40 published")
            broker.kill()
            await broker.wait()
            await poller.log.wait_for("broker lost", within_s=WITHIN_S)
            ready = await poller.get("/readyz")
            assert ready.status_code == 503
            assert f"{ports.HOST}:{broker.port}" in ready.json()["dependencies"]["mqtt"]
            await broker.start()
            await putting
            await emptied(azurite, queue_name, poller)
            found = await states(broker, prefix, 300)
            books = await poller.check_books()
            assert (await poller.get("/readyz")).status_code == 200

    assert found.keys() == {f"n-{number}" for number in range(300)}
    assert books["dead_lettered"] == 0
    assert poller.log.text.count("broker lost") == 1
    assert "Traceback" not in poller.log.text


async def test_a_broker_that_is_not_there_at_the_start_is_waited_for(
    azurite: Azurite, prefix: str, queue_name: str
) -> None:
    """It says so once; nothing is taken off the queue meanwhile."""
    need_mosquitto()
    broker = Broker(kind="mosquitto", topic_prefix=prefix)
    await put(azurite, queue_name, [numbered(1)])
    poller = Poller(queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=on(azurite))
    try:
        async with spawned(poller):
            await poller.log.wait_for("broker unavailable", within_s=WITHIN_S)
            async with created_queue(azurite, queue_name) as client:
                (waiting,) = await client.peek_messages()
            assert waiting.dequeue_count == 0
            assert (await poller.get("/healthz")).status_code == 200
            await broker.start()
            await poller.until_ready(within_s=WITHIN_S)
            await states(broker, prefix, 1)
            assert poller.log.text.count("broker unavailable") == 1
    finally:
        await broker.close()


async def test_a_queue_that_is_not_there_at_the_start_is_waited_for(
    broker: Broker, prefix: str, queue_name: str
) -> None:
    """It says so once, with the address and the setting, and goes on when it is there."""
    late = Azurite(ports.free())
    poller = Poller(queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=on(late))
    async with spawned(poller):
        said = await poller.log.wait_for("queue operation failed", within_s=WITHIN_S)
        assert f"{ports.HOST}:{late.port}" in said
        assert "AZURE_STORAGE_CONNECTION_STRING" in said
        ready = await poller.get("/readyz")
        assert ready.status_code == 503
        assert "receive: " in ready.json()["dependencies"]["queue"]
        async with late:
            await poller.until_ready(within_s=WITHIN_S)
            await put(late, queue_name, [numbered(1)])
            await states(broker, prefix, 1)
            assert poller.log.text.count("queue operation failed") == 1
            poller.terminate()
            assert await poller.ends() == 0


async def test_a_wrong_key_is_a_line_that_names_the_setting(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """The process stays, says it once, is not ready, and leaves in order when told to."""
    given = azurite.connection_string.replace("AccountKey=Eby8", "AccountKey=AAAA")
    poller = Poller(queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=given)
    async with spawned(poller):
        said = await poller.log.wait_for("queue operation failed", within_s=WITHIN_S)
        assert "AZURE_STORAGE_CONNECTION_STRING" in said
        ready = await poller.get("/readyz")
        assert ready.status_code == 503
        assert "AZURE_STORAGE_CONNECTION_STRING" in ready.json()["dependencies"]["queue"]
        poller.terminate()
        assert await poller.ends() == 0

    assert "MGw==" not in poller.log.text, "never the key"
    assert "Traceback" not in poller.log.text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"AZURE_STORAGE_CONNECTION_STRING": "nonsense"}, ["AZURE_STORAGE_CONNECTION_STRING"]),
        (
            {"QUEUE_NAME": "Pillow_State", "MQTT_URL": "http://user:hunter2@host"},
            ["QUEUE_NAME = 'Pillow_State'", "MQTT_URL (value not shown)"],
        ),
    ],
)
async def test_a_setting_that_cannot_be_is_a_sentence_and_exit_two(
    broker: Broker, prefix: str, queue_name: str, given: dict[str, str], says: list[str]
) -> None:
    """At once, without a traceback or a secret."""
    poller = Poller(queue_name, prefix, broker, **given)
    async with spawned(poller):
        assert await poller.ends() == 2

    assert all(name in poller.log.text for name in says)
    assert "Traceback" not in poller.log.text
    assert "hunter2" not in poller.log.text


async def test_three_pollers_on_one_queue_end_with_the_newest(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """States of four pillows, shuffled; whoever published what, the newest is retained."""
    shuffled = list(range(160))
    random.Random(7).shuffle(shuffled)
    begin_us = time.time_ns() // 1000 - 3_600_000_000
    texts = [
        json.dumps(
            {
                "pillow": f"p{number % 4}",
                "state": "hugging",
                "at": format_timestamp(begin_us + number // 8 * 1_000_000),
                "seq": number,
            }
        )
        for number in shuffled
    ]
    pollers = [
        Poller(
            queue_name,
            prefix,
            broker,
            INSTANCE=name,
            MQTT_PROTOCOL=protocol,
            AZURE_STORAGE_CONNECTION_STRING=on(azurite),
            POLLER_POLL_MAX="0.05",  # none sleeps while another takes everything
        )
        for name, protocol in (("one", "5"), ("two", "5"), ("three", "3.1.1"))
    ]
    async with spawned(pollers[0]), spawned(pollers[1]), spawned(pollers[2]):
        await asyncio.gather(*(poller.until_ready() for poller in pollers))
        await put(azurite, queue_name, texts)
        await emptied(azurite, queue_name, *pollers)

        async def newest_retained() -> bool:
            found = await states(broker, prefix, 4)
            return {one.order[1] for one in found.values()} == {156, 157, 158, 159}

        await eventually(newest_retained, "the newest of each")
        books = [await poller.check_books() for poller in pollers]

    assert sum(one["published"] + one["superseded"] for one in books) == 160
    assert sum(one["received"] > 0 for one in books) >= 2, "more than one had work"


async def test_a_burst_of_one_pillow_is_not_healed_against_itself(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """MQTT 3.1.1 sends our own states back to us: an older one coming late is nobody's mistake."""
    texts = [
        f'{{"pillow":"busy","state":"hugging","at":"2025-11-22T06:00:00Z","seq":{seq}}}'
        for seq in range(120)
    ]
    await put(azurite, queue_name, texts)
    poller = Poller(
        queue_name,
        prefix,
        broker,
        MQTT_PROTOCOL="3.1.1",
        AZURE_STORAGE_CONNECTION_STRING=on(azurite),
    )
    async with poller:
        await emptied(azurite, queue_name, poller)
        found = await states(broker, prefix, 1)
        await poller.check_books()
        assert await poller.count("healed") <= 5

    assert found["busy"].order[1] == 119
