"""The observer: how long it waits for the broker."""

import asyncio

import pytest

from runtime.mqtt import command_session as module
from simulator.checking.observations import Observations
from simulator.checking.observer import Observer
from simulator.settings import SimulatorSettings
from tests.unit.runtime.mqtt.packets import Publish
from tests.unit.runtime.mqtt.scripted_broker import PUBLISH, Client, ScriptedBroker


async def test_a_link_on_which_something_arrives_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With MQTT 3.1.1 the retained states of other pillows come before the session's marks."""
    monkeypatch.setattr(module, "CONNECT_TIMEOUT_S", 0.5)
    held: list[tuple[int, bytes]] = []
    sending: list[asyncio.Task[None]] = []

    async def trickle(client: Client) -> None:
        for number in range(5):
            await asyncio.sleep(0.15)
            client.send(Publish(f"pillow/c{number}/state", b"{}", retained=True).encode(v5=False))
        for head, body in held:
            broker._answer(client, head, body)

    def script(client: Client, head: int, body: bytes) -> bool:
        is_mark = head & 0xF0 == PUBLISH and body.endswith((b"direct", b"queued"))
        if is_mark:
            held.append((head, body))
            if len(held) == 1:
                sending.append(asyncio.ensure_future(trickle(client)))
        return is_mark

    broker = ScriptedBroker(v5=False, script=script)
    async with broker.listening():
        monkeypatch.setenv("MQTT_URL", str(broker.address))
        monkeypatch.setenv("MQTT_PROTOCOL", "3.1.1")
        observer = Observer(
            SimulatorSettings.load(), Observations(frozenset()), 1.0, by_queue=False
        )
        async with observer.connected():
            assert len(broker.clients) == 1
            assert sending[0].done()
