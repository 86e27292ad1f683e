"""What the system says of a peer: read from real sockets, and judged."""

import asyncio
import socket

import pytest

from gateway.transport.tcp_info import DEAD_PEER_MS, TcpInfo, read_tcp_info
from tests.waiting import until


def known(transport: asyncio.Transport) -> TcpInfo:
    """Return the information, which this system has."""
    info = read_tcp_info(transport)
    assert info is not None
    return info


async def test_the_fields_are_those_of_the_socket() -> None:
    """A peer that reads nothing closes its window, and its system goes on answering."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(listener.getsockname())
        accepted, _ = listener.accept()
        accepted.setblocking(False)
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, accepted)
        try:
            transport.write(b"x" * 1000)
            await until(lambda: known(transport).acknowledged == 1000, "acknowledged")
            assert known(transport)[:2] == (0, 0)
            assert known(transport).window > 0
            transport.write(b"x" * 1_000_000)
            await until(lambda: known(transport).window == 0, "full")
            assert 1000 < known(transport).acknowledged < 100_000
            assert not known(transport).is_peer_gone
        finally:
            transport.abort()
            await asyncio.sleep(0)
        assert read_tcp_info(transport) is None


NOW: TcpInfo = TcpInfo(probes=0, in_flight=0, ack_age_ms=0, acknowledged=1, window=1)


@pytest.mark.parametrize(
    ("info", "is_gone"),
    [
        (NOW, False),
        (NOW._replace(ack_age_ms=DEAD_PEER_MS), False),
        (NOW._replace(ack_age_ms=DEAD_PEER_MS - 1, in_flight=1), False),
        (NOW._replace(ack_age_ms=DEAD_PEER_MS, in_flight=1), True),
        (NOW._replace(ack_age_ms=DEAD_PEER_MS, in_flight=1, window=0), False),
        (NOW._replace(ack_age_ms=DEAD_PEER_MS, window=0, probes=2), False),
        (NOW._replace(ack_age_ms=DEAD_PEER_MS, window=0, probes=3), True),
        (NOW._replace(ack_age_ms=3 * DEAD_PEER_MS, window=0), False),
    ],
)
def test_a_system_that_does_not_answer_is_gone(info: TcpInfo, is_gone: bool) -> None:
    """It answers data within its window, and probes of a closed one: those are minutes apart."""
    assert info.is_peer_gone == is_gone
