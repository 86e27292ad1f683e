"""One trace from the message through poller, broker and gateway to the client that shows it."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest

from devstack.azurite import Azurite
from devstack.broker import Broker
from tests.gateway import Gateway, WebSocketClient
from tests.otlp import Collector, Span, collector
from tests.poller import Poller, put
from tests.waiting import until

pytestmark = pytest.mark.timeout(180)

DEVICE_SPAN = "b7ad6b7169203331"


def device_trace(flags: str = "01") -> tuple[str, str]:
    """Return the trace id of a device and its traceparent."""
    trace = uuid4().hex
    return trace, f"00-{trace}-{DEVICE_SPAN}-{flags}"


class World:
    """A poller and a gateway that send spans to a collector, and a client of the gateway."""

    def __init__(self, azurite: Azurite, queue: str, collector: Collector) -> None:
        self._azurite = azurite
        self._queue = queue
        self.collector = collector
        self.client: WebSocketClient
        self.poller: Poller

    async def put(self, **fields: object) -> None:
        """Put a message on the queue."""
        await put(self._azurite, self._queue, [json.dumps({"state": "hugging", **fields})])

    async def next_state(self, pillow: str) -> dict[str, Any]:
        """Wait for the next state of a pillow."""
        while True:
            frame = await self.client.receive_until(lambda one: one["type"] == "update")
            for state in frame["pillows"]:
                if state["pillow"] == pillow:
                    found: dict[str, Any] = state
                    return found

    async def report(self, state: dict[str, Any]) -> None:
        """Report that a state was shown now."""
        shown = time.time_ns() // 1_000_000
        report = {"type": "shown", "pillow": state["pillow"], "shown": shown}
        hops = {"queued": state["hops"]["queued"], "traceparent": state["traceparent"]}
        await self.client.send(report | hops)

    async def spans(self, trace_id: str, names: set[str]) -> dict[str, Span]:
        """Wait until a trace has spans of these kinds; the first word of a name is its kind."""
        found: dict[str, Span] = {}

        def is_complete() -> bool:
            for span in self.collector.trace(trace_id):
                found[f"{span.service} {span.name.split()[0]}"] = span
            return names <= found.keys()

        await until(is_complete, f"the spans {names} of {trace_id}")
        return found


@pytest.fixture(params=["5", "3.1.1"], scope="module")
async def world(
    request: pytest.FixtureRequest, azurite: Azurite, broker: Broker
) -> AsyncIterator[World]:
    """Both versions of MQTT: the field carries the trace where there is no property."""
    prefix, queue_name = f"t{uuid4().hex[:12]}", f"q{uuid4().hex[:12]}"
    with collector() as collected:
        env = {
            "MQTT_PROTOCOL": request.param,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collected.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-key=let me in".replace(" ", "%20"),
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "LOG_FORMAT": "json",
        }
        given = {"AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string, "POLLER_JOURNAL": ""}
        async with AsyncExitStack() as parts:
            made = World(azurite, queue_name, collected)
            gateway = Gateway(broker, prefix, GATEWAY_SHOWN_SAMPLE="1", **env)
            await parts.enter_async_context(gateway)
            made.client = await parts.enter_async_context(gateway.connect())
            await made.client.receive()
            poller = Poller(queue_name, prefix, broker, **given, **env)
            made.poller = await parts.enter_async_context(poller)
            yield made
            gateway.assert_log_is_clean()


async def test_a_devices_trace_goes_from_the_queue_to_the_screen(world: World) -> None:
    """Every span is in the device's trace, each below the one that caused it, in their order."""
    trace, traceparent = device_trace()
    await world.put(pillow="cloud-1", traceparent=traceparent)
    state = await world.next_state("cloud-1")
    names = {"poller process", "poller publish", "gateway process"}
    # The span of a busy gateway ends after its frame came.
    await world.spans(trace, names)
    await world.report(state)
    spans = await world.spans(trace, names | {"gateway shown"})

    process, publish = spans["poller process"], spans["poller publish"]
    gateway, shown = spans["gateway process"], spans["gateway shown"]
    assert process.parent_id == DEVICE_SPAN
    assert publish.parent_id == gateway.parent_id == process.span_id
    assert shown.parent_id == gateway.span_id
    assert state["traceparent"] == f"00-{trace}-{process.span_id}-01"
    assert process.attributes["pillowcast.outcome"] == "published"
    assert gateway.attributes["pillowcast.clients"] == 1
    assert process.start_ns <= publish.start_ns < publish.end_ns <= process.end_ns
    assert gateway.start_ns < gateway.end_ns < shown.end_ns
    assert world.collector.headers[0]["x-key"] == "let me in"


async def test_a_message_without_a_trace_begins_one_and_a_wrong_one_is_ignored(
    world: World,
) -> None:
    """A hostile value is as good as none."""
    zeros = f"00-{'0' * 32}-{'0' * 16}-01"
    for number, wrong in enumerate([None, zeros, ["x"], "\x00"]):
        pillow = f"wrong-{number}"
        await world.put(pillow=pillow, **({} if wrong is None else {"traceparent": wrong}))
        state = await world.next_state(pillow)
        _, trace, span, _ = state["traceparent"].split("-")
        spans = await world.spans(trace, {"poller process", "gateway process"})
        assert spans["poller process"].span_id == span
        assert spans["poller process"].parent_id == ""
        assert spans["gateway process"].parent_id == span


async def test_a_device_decides_that_it_is_not_traced(world: World) -> None:
    """Its flag is respected all the way; what follows is traced again."""
    (untraced, quiet), (traced, loud) = device_trace("00"), device_trace()
    await world.put(pillow="cloud-2", traceparent=quiet)
    assert (await world.next_state("cloud-2"))["traceparent"].endswith("-00")
    await world.put(pillow="cloud-3", traceparent=loud)
    await world.next_state("cloud-3")
    await world.spans(traced, {"poller process", "gateway process"})

    assert world.collector.trace(untraced) == []


async def test_a_dead_letter_ends_its_trace_as_an_error(world: World) -> None:
    """With the reason, so that whoever looks for the state of a device finds it."""
    trace, traceparent = device_trace()
    await world.put(pillow="NOBODY", traceparent=traceparent)
    spans = await world.spans(trace, {"poller process"})

    assert spans["poller process"].is_error
    assert spans["poller process"].attributes["pillowcast.rejection"] == "bad-id"
    assert spans["poller process"].attributes["pillowcast.outcome"] == "dead-lettered"
    ids = {"trace_id": trace, "span_id": spans["poller process"].span_id}

    def is_logged() -> bool:
        lines = [json.loads(one) for one in world.poller.log.lines if "dead letter: kept" in one]
        return any(ids.items() <= line.items() for line in lines)

    await until(is_logged, "the line with the ids of the trace")
