"""The JavaScript and the Python client conform to the golden sessions for clients."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
from conformance.client.runner import read_sessions, run_sessions
from conformance.client.server import GoldenServer
from conformance.published import Published
from conformance.result import shown
from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.uri import parse_uri

from devstack.node import find_node
from devstack.processes import ROOT

# As many programs as there are sessions, sixteen at a time.
pytestmark = pytest.mark.timeout(300)

NAIVE = """
import asyncio, json, os
from websockets.asyncio.client import connect

async def main():
    names = os.environ["PILLOWCAST_PILLOWS"].replace("all", "")
    url = os.environ["PILLOWCAST_URL"].replace("http", "ws") + "/ws"
    url += f"?pillow={names}" if names else ""
    while True:
        try:
            async with connect(url, proxy=None) as socket:
                async for text in socket:
                    for one in json.loads(text).get("pillows", ()):
                        report = {"pillow": one["pillow"], "state": one["state"]}
                        print(json.dumps(report), flush=True)
        except Exception:
            pass

asyncio.run(main())
"""
"""A client that comes back at once, from nothing, whatever it is told, and shows what comes."""

ADAPTERS = ROOT / "packages/contract/conformance/adapters"


async def test_the_javascript_client_conforms() -> None:
    """In Node.js, by WebSocket and by Server-Sent Events."""
    sessions = read_sessions()
    results = await run_sessions(
        sessions, f"{find_node()} {ADAPTERS / 'javascript.mjs'}", Published()
    )

    sys.stdout.write(shown(results) + "\n")
    assert [one for one in results if not one.passed] == []
    assert len(results) == sum(len(one.transports) for one in sessions.values())


async def test_the_python_client_conforms() -> None:
    """By WebSocket, which is the one transport that it has."""
    sessions = read_sessions()
    command = f"{sys.executable} {ADAPTERS / 'python.py'}"
    results = await run_sessions(sessions, command, Published(), transports=["websocket"])

    sys.stdout.write(shown(results) + "\n")
    assert [one for one in results if not one.passed] == []
    assert len(results) == sum("websocket" in one.transports for one in sessions.values())


async def test_a_naive_client_does_not_conform(tmp_path: Path) -> None:
    """The kit finds what is wrong with it."""
    program = tmp_path / "naive.py"
    program.write_text(NAIVE, encoding="utf-8")
    expected = {
        # The first is not seen where it takes long to come back.
        "resume": r"came back after 0|since=None",
        "goodbye": r"came back after|since=None",
        "never-backwards": "it reports",
    }
    sessions = {name: one for name, one in read_sessions().items() if name in expected}

    results = await run_sessions(
        sessions,
        f"{sys.executable} {program}",
        Published(),
        transports=["websocket"],
    )

    for result in results:
        assert not result.passed, result
        assert re.search(expected[result.name.partition(" ")[0]], result.detail), result


async def test_frames_that_come_in_one_read_are_all_received() -> None:
    """A client's own ping may be in one packet with its answer to the server's."""
    server = GoldenServer()
    await server.start()
    client = ClientProtocol(parse_uri(server.url.replace("http", "ws") + "/ws"))
    reader, writer = await asyncio.open_connection("127.0.0.1", client.uri.port)
    client.send_request(client.connect())
    writer.writelines(client.data_to_send())
    attempt = await server.next()
    await attempt.accept()
    client.receive_data(await reader.readuntil(b"\r\n\r\n"))

    pinged = asyncio.ensure_future(attempt.ping(b"1"))
    client.send_text(b"{}")
    client.receive_data(await reader.readexactly(3))
    client.send_text(b"{}")
    writer.write(b"".join(client.data_to_send()))

    async with asyncio.timeout(10):
        await pinged
        assert (await attempt.receive()).opcode is Opcode.TEXT
    writer.close()
    await server.close()
