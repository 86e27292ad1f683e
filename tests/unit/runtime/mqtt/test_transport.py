"""Connecting with TLS, and the sentences for errors."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devstack import ports
from devstack.certificates import certificate_for_loopback
from runtime.broker_url import BrokerAddress
from runtime.mqtt import transport
from runtime.mqtt.transport import open_transport, os_error_text


@pytest.fixture
async def tls_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The port of a TLS server whose certificate is not trusted yet."""
    certificate, key = certificate_for_loopback(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    # Without the cache, so that each test reads the trusted certificates.
    monkeypatch.setattr(transport, "tls_context", lambda _files: ssl.create_default_context())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(5))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, ports.HOST, 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


class Reader(asyncio.Protocol):
    """Keeps what it received."""

    def __init__(self) -> None:
        self.received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.received.set_result(data)


async def test_a_certificate_of_an_unknown_authority_is_refused(tls_server: int) -> None:
    """The reason is OpenSSL's."""
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED") as refusal:
        await open_transport(BrokerAddress(ports.HOST, tls_server, tls=True), Reader())

    assert "CERTIFICATE_VERIFY_FAILED" in os_error_text(refusal.value)


async def test_a_certificate_of_a_known_authority_is_accepted(
    tls_server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data passes in both directions."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    reader = Reader()
    opened = await open_transport(BrokerAddress(ports.HOST, tls_server, tls=True), reader)
    opened.write(b"hello")

    assert await asyncio.wait_for(reader.received, 10) == b"hello"
    opened.abort()


async def test_without_tls_no_certificate_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken certificate store must not matter to mqtt://."""
    monkeypatch.setattr(transport, "tls_context", None)
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), ports.HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        (await open_transport(BrokerAddress(ports.HOST, port), asyncio.Protocol())).abort()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)"), "Connection refused"),
        (OSError("Multiple exceptions: a, b"), "Multiple exceptions: a, b"),
        (OSError(-2, "Name or service not known"), "[Errno -2] Name or service not known"),
    ],
)
def test_an_error_has_the_text_of_the_system(error: OSError, text: str) -> None:
    """Where it has a number of the system; name resolution has numbers of its own."""
    assert os_error_text(error) == text
