"""The poller between real Azurite and real mosquitto: messages, health, start and stop."""

import base64
import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from contract.queue_report import QueueReport, decode_queue_report
from devstack.azurite import Azurite
from devstack.broker import Broker
from tests.machine import need_faketime
from tests.poller import (
    Poller,
    created_queue,
    numbered,
    payload,
    put,
    receive_poison,
    retained_states,
    spawned,
    subscribed,
    wait_empty,
)
from tests.service_process import WITHIN_S
from tests.waiting import eventually, until

# Several processes are started and killed in one test, which takes time on a busy machine.
pytestmark = pytest.mark.timeout(180)


EXAMPLES = Path(__file__).parents[2] / "packages" / "contract" / "examples" / "messages.json"


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
        {"clock": "behind"},
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
async def test_every_valid_form_is_retained_with_its_trace_timestamps(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str, protocol: str
) -> None:
    """With both versions of MQTT; afterwards the queue is empty and every delivery is counted."""
    texts = [text for text, _ in GOOD.values()]
    before_ms = int(time.time() * 1000)
    await put(azurite, queue_name, [*texts, *WORDS])
    poller = Poller(
        queue_name,
        prefix,
        broker,
        MQTT_PROTOCOL=protocol,
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
        POLLER_DEFAULT_PILLOW="sofa",
    )
    async with subscribed(broker, f"{prefix}/#") as messages, poller:
        await wait_empty(azurite, queue_name, poller)
        kept = await retained_states(broker, prefix, len(GOOD) + 1)
        counts = await poller.check_counts()
        assert await poller.count("deleted", outcome="deleted") == len(texts) + len(WORDS)

    assert counts["published"] + counts["superseded"] == len(texts) + len(WORDS)
    assert kept.keys() == {*GOOD, "sofa"}
    for pillow, (_, expected) in GOOD.items():
        state = json.loads(kept[pillow].payload)
        assert state["pillow"] == pillow
        assert expected.items() <= state.items()
        hops = state["hops"]
        assert before_ms - 1000 <= hops["queued"] <= hops["polled"], "Azure has whole seconds"
        assert hops["polled"] <= hops["published"] <= time.time() * 1000 + 1000
    words = [
        json.loads(payload(one))["state"]
        for one in messages
        if str(one.topic) == f"{prefix}/sofa/state"
    ]
    assert words, "no state of the default pillow"
    assert set(words) <= set(WORDS.values())
    # The mark with QoS 0 is one of the session's own.
    assert all(one.qos == 1 for one in messages if not str(one.topic).endswith("/mark"))
    if protocol == "5":
        properties = [one.properties for one in messages if str(one.topic).endswith("/state")]
        assert {getattr(one, "ContentType", None) for one in properties} == {"application/json"}
        assert {getattr(one, "PayloadFormatIndicator", None) for one in properties} == {1}


@pytest.mark.parametrize("offset", ["+60s", "-60s", "+120s"])
async def test_a_clock_that_is_wrong_changes_no_hop(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str, offset: str
) -> None:
    """Hops are in the queue's time; the difference is a metric and one line of the log."""
    before_ms = int(time.time() * 1000)
    await put(azurite, queue_name, [f'{{"pillow":"p{number}","state":"hug"}}' for number in "ab"])
    poller = Poller(
        queue_name,
        prefix,
        broker,
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
        LD_PRELOAD=need_faketime(),
        FAKETIME=offset,
        DONT_FAKE_MONOTONIC="1",
    )
    async with poller:
        await wait_empty(azurite, queue_name, poller)
        kept = await retained_states(broker, prefix, 2)
        metrics = (await poller.get("/metrics")).text
        said = poller.log.text

    for message in kept.values():
        hops = json.loads(message.payload)["hops"]
        assert before_ms - 1000 <= hops["queued"] <= hops["published"]
        assert hops["published"] <= time.time() * 1000 + 1000
    [measured] = re.findall(
        r"^pillowcast_poller_clock_offset_seconds (\S+)$", metrics, re.MULTILINE
    )
    assert abs(float(measured) - float(offset.removesuffix("s"))) <= 1.5
    assert said.count("this machine's clock differs from the queue's") == 1


async def test_every_invalid_message_is_dead_lettered_and_announced(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """All examples of the contract that a queue message can hold, good and bad, at once."""
    cases = [(case, text_of(case)) for case in json.loads(EXAMPLES.read_text())["cases"]]
    carried = [
        (case, text) for case, text in cases if text is not None and fits_a_queue_message(text)
    ]
    bad = [(case["dead_letter"], text) for case, text in carried if "dead_letter" in case]
    assert len(bad) > 60
    await put(azurite, queue_name, [text for _, text in carried])

    poller = Poller(
        queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string
    )
    topic = f"{prefix}/bridge/poller/one/dead-letter"
    async with subscribed(broker, topic) as letters, poller:
        await wait_empty(azurite, queue_name, poller)
        counts = await poller.check_counts()
        for reason, expected in Counter(reason for reason, _ in bad).items():
            assert await poller.count("dead_lettered", reason=reason) == expected
        assert (await poller.get("/readyz")).status_code == 200
        await until(lambda: len(letters) >= len(bad), f"{len(bad)} announcements")

    assert counts["received"] == len(carried)
    assert counts["dead_lettered"] == len(bad)
    assert Counter(await receive_poison(azurite, queue_name)) == Counter(text for _, text in bad)
    announced = [json.loads(payload(letter)) for letter in letters]
    assert Counter((one["reason"], one["text"]) for one in announced) == Counter(
        (reason, text[:512]) for reason, text in bad
    )
    assert all(one["detail"] and one["attempts"] == 1 for one in announced)
    assert len({one["message"] for one in announced}) == len(bad)
    assert "Traceback" not in poller.log.text


def text_of(case: dict[str, Any]) -> str | None:
    """Return the message of an example; None if it is bytes that no queue message can hold."""
    if "repeat" in case:
        made = case["repeat"]
        return str(made["before"] + made["text"] * made["times"] + made["after"])
    return case.get("text")


def fits_a_queue_message(text: str) -> bool:
    """Return whether a queue message can hold a text: 64 KiB of characters that XML allows."""
    return len(text.encode()) <= 65_536 and all(
        character >= " " or character in "\t\n\r" for character in text
    )


async def test_a_message_that_the_queue_cannot_return_delays_no_other(
    broker: Broker, azurite: Azurite, prefix: str, queue_name: str
) -> None:
    """Azurite accepts a control character, and then fails every page that contains it.

    The others take few failed pages, however long each of them takes.
    """
    good = [f'{{"pillow":"p{number}","state":"hugging"}}' for number in range(24)]
    await put(azurite, queue_name, good[:12], concurrency=1)
    await put(azurite, queue_name, ["hello \x01 world"])
    await put(azurite, queue_name, good[12:], concurrency=1)

    async with Poller(
        queue_name,
        prefix,
        broker,
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
        POLLER_VISIBILITY_TIMEOUT="3",
    ) as poller:
        arrived = await retained_states(broker, prefix, len(good), within_s=3 * WITHIN_S)

        assert {f"p{number}" for number in range(24)} == set(arrived)
        assert await poller.count("requests", operation="receive", outcome="unavailable") <= 8
        assert await poller.count("dead_lettered") == 0


async def test_a_message_is_dead_lettered_after_max_attempts(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """It was received three times before, and three attempts are allowed."""
    async with created_queue(azurite, queue_name) as client:
        await client.send_message(numbered(1))
        for _ in range(3):
            async for message in client.receive_messages(max_messages=1):
                await client.update_message(message.id, message.pop_receipt, visibility_timeout=0)
    poller = Poller(
        queue_name,
        prefix,
        broker,
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
        POLLER_MAX_ATTEMPTS="3",
    )
    async with poller:
        await wait_empty(azurite, queue_name, poller)
        assert await poller.count("dead_lettered", reason="too-many-attempts") == 1

    assert await receive_poison(azurite, queue_name) == [numbered(1)]


async def test_health_readiness_and_metrics_are_served(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """The status of each dependency by name, and the Prometheus text format."""
    poller = Poller(
        queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string
    )
    async with poller:
        alive, ready, metrics = [
            await poller.get(path) for path in ("/healthz", "/readyz", "/metrics")
        ]

    assert (alive.status_code, alive.text) == (200, "ok\n")
    assert ready.json() == {"ready": True, "dependencies": {"queue": "ok", "mqtt": "ok"}}
    assert "pillowcast_poller_broker_up 1.0" in metrics.text
    assert "pillowcast_poller_queue_up 1.0" in metrics.text
    assert metrics.headers["content-type"].startswith("text/plain")


async def test_sigterm_completes_publishes_offline_and_exits_with_0(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """Before the deadline, and no message stays leased."""
    poller = Poller(
        queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string
    )
    status = f"{prefix}/bridge/poller/one/status"
    async with subscribed(broker, status) as statuses, poller:
        await put(azurite, queue_name, [numbered(number) for number in range(64)])
        poller.terminate()
        assert await poller.exit_status() == 0
        await eventually(lambda: is_last(statuses, b"offline"), "offline")

    assert [payload(one) for one in statuses if not one.retain] == [b"online", b"offline"]
    async with subscribed(broker, status) as kept:
        await eventually(lambda: is_last(kept, b"offline"), "offline, retained")
    assert "Traceback" not in poller.log.text
    assert "stopped" in poller.log.text
    async with created_queue(azurite, queue_name) as client:
        left = [one async for one in client.receive_messages(messages_per_page=32)]
    missing = {f"n-{number}" for number in range(64)}
    missing -= {json.loads(one.content)["pillow"] for one in left}
    async with subscribed(broker, f"{prefix}/+/state") as states:
        await until(
            lambda: missing <= {str(one.topic).split("/")[-2] for one in states},
            "each message is a state or is left",
        )


async def is_last(messages: list[aiomqtt.Message], expected: bytes) -> bool:
    """Return whether the last message has this payload."""
    return bool(messages) and payload(messages[-1]) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"AZURE_STORAGE_CONNECTION_STRING": "nonsense"}, ["AZURE_STORAGE_CONNECTION_STRING"]),
        (
            {"QUEUE_NAME": "Pillow_State", "MQTT_URL": "http://user:hunter2@host"},
            ["QUEUE_NAME = 'Pillow_State'", "MQTT_URL (value not shown)"],
        ),
    ],
)
async def test_a_wrong_setting_is_named_and_the_exit_status_is_2(
    broker: Broker, prefix: str, queue_name: str, given: dict[str, str], expected: list[str]
) -> None:
    """Without a traceback or a secret."""
    poller = Poller(queue_name, prefix, broker, **given)
    async with spawned(poller):
        assert await poller.exit_status() == 2

    assert all(name in poller.log.text for name in expected)
    assert "Traceback" not in poller.log.text
    assert "hunter2" not in poller.log.text


async def test_a_poller_says_how_old_its_queue_is(
    azurite: Azurite, broker: Broker, queue_name: str, prefix: str
) -> None:
    """Retained, and as nobody's age while nothing waits."""
    account = azurite.connection_string
    async with (
        Poller(queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=account),
        subscribed(broker, f"{prefix}/bridge/poller/one/queue") as messages,
    ):

        async def is_said() -> bool:
            return bool(messages)

        await eventually(is_said, "a report on the queue")
        assert [decode_queue_report(payload(one)) for one in messages] == [QueueReport(0)]
