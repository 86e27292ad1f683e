"""The session of a command: connected in time, or an error that says what to check."""

import asyncio

import pytest

from runtime.mqtt import CommandSession, Message, Subscription, command_session
from runtime.settings import CommonSettings, SettingsError
from tests.unit.runtime.mqtt.packets import Publish
from tests.unit.runtime.mqtt.scripted_broker import ScriptedBroker
from tests.waiting import until


def session(received: list[Message]) -> CommandSession:
    """Return a session with the broker of the environment."""
    subscription = Subscription(("pillow/+/state",))
    return CommandSession(CommonSettings.load(), "gateway", "test", subscription, received.append)


async def test_it_is_ready_inside_and_has_its_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its instance is named after the command, so that it is not taken for the service."""
    received: list[Message] = []
    broker = ScriptedBroker(v5=True)
    async with broker.listening():
        monkeypatch.setenv("MQTT_URL", str(broker.address))
        monkeypatch.setenv("INSTANCE", "box")
        command = session(received)
        async with command.connected():
            assert command.session.is_ready
            broker.clients[0].send(Publish("pillow/c/state", b"{}").encode(v5=True))
            await until(lambda: len(received) == 1, "the message")
        assert not command.session.is_ready


async def test_a_broker_that_is_not_there_is_an_error_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It names the address and the setting."""
    monkeypatch.setattr(command_session, "CONNECT_TIMEOUT_S", 0.05)
    monkeypatch.setenv("MQTT_URL", "mqtt://127.0.0.1:9")

    with pytest.raises(SettingsError, match=r"mqtt://127\.0\.0\.1:9.*check MQTT_URL"):
        async with session([]).connected():
            pass


async def test_a_sign_in_that_is_refused_is_an_error_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A person waits; the error names the address and the setting."""
    broker = ScriptedBroker(v5=True, connack=b"\x00\x87")  # not authorized
    async with broker.listening(), asyncio.timeout(5):
        monkeypatch.setenv("MQTT_URL", str(broker.address))
        with pytest.raises(SettingsError, match=r"Not authorized.*check the user and password"):
            async with session([]).connected():
                pass
