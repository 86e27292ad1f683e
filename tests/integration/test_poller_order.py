"""The poller between real Azurite and real mosquitto: every state of a backlog, in order."""

import json
from collections import defaultdict

import pytest

from devstack.azurite import Azurite
from devstack.broker import Broker
from tests.poller import Poller, eventually, payload, put, subscribed, wait_empty

pytestmark = pytest.mark.timeout(180)

MESSAGES = 600
PILLOWS = 20


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_every_state_that_waits_at_the_start_is_published_in_order(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str, protocol: str
) -> None:
    """Several pages are requested at once, and Azurite answers in any order."""
    texts = [
        f'{{"pillow":"p{number % PILLOWS}","state":"hugging","seq":{number},'
        f'"at":"2026-01-01T00:00:{number // 1000:02}.{number % 1000:03}Z"}}'
        for number in range(MESSAGES)
    ]
    await put(azurite, queue_name, texts)
    poller = Poller(
        queue_name,
        prefix,
        broker,
        MQTT_PROTOCOL=protocol,
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
    )
    async with subscribed(broker, f"{prefix}/+/state") as messages, poller:

        async def all_there() -> bool:
            return len(messages) >= MESSAGES

        await wait_empty(azurite, queue_name, poller)
        counts = await poller.check_counts()
        assert (counts["published"], counts["superseded"]) == (MESSAGES, 0)
        await eventually(all_there, f"{MESSAGES} states")
        assert await poller.count("overdue_requests") == 0

    seen: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        state = json.loads(payload(message))
        seen[state["pillow"]].append(state["seq"])
    assert seen == {f"p{first}": [*range(first, MESSAGES, PILLOWS)] for first in range(PILLOWS)}
