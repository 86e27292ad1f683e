"""Sessions over TLS with a real mosquitto: who is trusted, and certificates that are replaced."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from contract.topics import Topics
from devstack import ports
from devstack.broker import Broker
from devstack.certificates import Authority
from runtime.mqtt import MqttSession, SessionConfig
from runtime.settings import CommonSettings
from tests.machine import need_mosquitto
from tests.waiting import until

SESSION_LIMIT_S = 30.0


class TlsBroker:
    """mosquitto with TLS: `port` asks for a password, `services_port` for a certificate too."""

    def __init__(self, folder: Path, *, hosts: tuple[str, ...] = (), days: float = 1) -> None:
        self.folder = folder
        self.authority = Authority(folder)
        self.authority.issue("mosquitto", hosts or (ports.HOST, "localhost"), days=days)
        self.broker = Broker(kind="mosquitto", topic_prefix="+")
        self.port, self.services_port = ports.free(), ports.free()
        self.broker.env |= {
            "MOSQUITTO_TLS": str(folder / "mosquitto"),
            "MOSQUITTO_TLS_LISTENER": f"{self.port} {ports.HOST}",
            "MOSQUITTO_TLS_SERVICES_LISTENER": f"{self.services_port} {ports.HOST}",
        }

    def settings(self, port: int, client: Path | None, ca: Path | None = None) -> CommonSettings:
        """Return a poller's settings; `client` is the folder of its certificate."""
        given: dict[str, object] = {
            "MQTT_URL": f"mqtts://poller@{ports.HOST}:{port}",
            "MQTT_PASSWORD": self.broker.password("poller"),
            "MQTT_TLS_CA": str((ca or self.folder / "mosquitto") / "ca.crt"),
        }
        if client is not None:
            given["MQTT_TLS_CERT"] = str(client / "tls.crt")
            given["MQTT_TLS_KEY"] = str(client / "tls.key")
        return CommonSettings.load(**given)


@pytest.fixture
async def tls(tmp_path: Path) -> AsyncIterator[TlsBroker]:
    """Start mosquitto with TLS."""
    need_mosquitto()
    tls = TlsBroker(tmp_path / "tls")
    async with tls.broker:
        yield tls


@asynccontextmanager
async def session(settings: CommonSettings, prefix: str) -> AsyncIterator[MqttSession]:
    """Run a session with the broker of some settings."""
    topics = Topics(prefix)
    session = MqttSession(
        SessionConfig(
            settings.broker,
            "5",
            service="poller",
            instance="test",
            status_topic=topics.status("poller", "test"),
            mark_topic=topics.mark("poller", "test"),
        )
    )
    stopping = asyncio.Event()
    running = asyncio.create_task(session.run(stopping))
    try:
        yield session
    finally:
        stopping.set()
        await asyncio.wait_for(running, 10)


async def ready(session: MqttSession) -> None:
    """Wait until the session is ready."""
    await asyncio.wait_for(session.wait_ready(), SESSION_LIMIT_S)


async def refusal(settings: CommonSettings, prefix: str) -> str:
    """Return why a session does not become ready: what the broker answered, once it has."""
    async with session(settings, prefix) as refused:
        first = refused.last_error

        def has_answered() -> bool:
            error = refused.last_error
            return error != first and re.search(r"within \d+ s", error) is None

        await until(has_answered, "an error", within_s=SESSION_LIMIT_S)
        assert not refused.is_ready
        return refused.last_error


async def test_a_session_with_its_own_authority_and_a_client_certificate_is_ready(
    tls: TlsBroker, prefix: str
) -> None:
    """The services' listener asks for both, and for the password."""
    client = tls.authority.issue("poller")

    async with session(tls.settings(tls.services_port, client), prefix) as established:
        await ready(established)
        await established.publish(f"{prefix}/cloud-1/state", b"x")


async def test_a_client_with_a_password_and_no_certificate_is_ready(
    tls: TlsBroker, prefix: str
) -> None:
    """On the listener for pillows and others outside."""
    async with session(tls.settings(tls.port, None), prefix) as established:
        await ready(established)


async def test_the_certificate_of_an_unknown_authority_is_refused(
    tls: TlsBroker, prefix: str, tmp_path: Path
) -> None:
    """The error names the setting."""
    other = Authority(tmp_path / "other").issue("poller")

    error = await refusal(tls.settings(tls.port, None, ca=other), prefix)

    assert "certificate verify failed" in error
    assert "MQTT_TLS_CA" in error


@pytest.mark.parametrize(
    ("hosts", "days", "reason", "advice"),
    [
        (("elsewhere.example",), 1, "not valid for", "the host in MQTT_URL must be a name"),
        ((), -1, "certificate has expired", "renew the broker's certificate"),
    ],
)
async def test_a_brokers_certificate_for_another_host_or_of_the_past_is_refused(
    tmp_path: Path, prefix: str, hosts: tuple[str, ...], days: float, reason: str, advice: str
) -> None:
    """The error says what to do."""
    need_mosquitto()
    tls = TlsBroker(tmp_path / "tls", hosts=hosts, days=days)
    async with tls.broker:
        error = await refusal(tls.settings(tls.port, None), prefix)

    assert reason in error
    assert advice in error


async def test_the_services_listener_refuses_a_client_whose_certificate_is_not_right(
    tls: TlsBroker, prefix: str, tmp_path: Path
) -> None:
    """None, that of another authority, or an expired one: each error names the setting."""
    clients = {
        "none": None,
        "of another authority": Authority(tmp_path / "other").issue("poller"),
        "expired": tls.authority.issue("poller", days=-1),
    }

    errors = {
        name: await refusal(tls.settings(tls.services_port, client), prefix)
        for name, client in clients.items()
    }

    assert {name for name, error in errors.items() if "MQTT_TLS_CERT" not in error} == set()


async def test_certificates_are_replaced_without_a_restart_of_broker_or_service(
    tls: TlsBroker, prefix: str
) -> None:
    """The broker reads them when it is told to, the service at its next connection."""
    client = tls.authority.issue("poller")
    async with session(tls.settings(tls.services_port, client), prefix) as established:
        await ready(established)

        tls.authority.issue("mosquitto", (ports.HOST,))
        tls.authority.issue("poller")
        tls.broker.reload()
        new = (tls.folder / "mosquitto" / "tls.crt").read_text()
        await until(lambda: served_certificate(tls.port) == new, "the new certificate")
        assert established.is_ready

        await connect_again(established)


async def test_a_new_authority_is_trusted_without_a_restart_of_the_service(
    tls: TlsBroker, prefix: str
) -> None:
    """The broker is restarted: mosquitto does not read its authority again."""
    client = tls.authority.issue("poller")
    async with session(tls.settings(tls.services_port, client), prefix) as established:
        await ready(established)

        await tls.broker.stop()
        for path in (tls.folder / "ca").iterdir():
            path.unlink()
        authority = Authority(tls.folder)
        authority.issue("mosquitto", (ports.HOST,))
        authority.issue("poller")
        await tls.broker.start()

        await ready(established)


def served_certificate(port: int) -> str:
    """Return the certificate that the broker shows now."""
    return ssl.get_server_certificate((ports.HOST, port))


async def connect_again(session: MqttSession) -> None:
    """End the session's connection, and wait for the next one."""
    session.abort()
    await until(lambda: not session.is_ready, "the loss")
    await ready(session)
