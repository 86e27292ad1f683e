"""The programs of deploy/devices, with a SAS that may only add, while the queue fails."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.storage.queue import QueueSasPermissions, generate_queue_sas
from azure.storage.queue.aio import QueueClient
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from azure_queue.development_account import ACCOUNT_KEY, ACCOUNT_NAME
from azure_queue.service import API_VERSION
from devstack import ports
from devstack.azurite import Azurite, find_azurite
from devstack.certificates import certificate_for_loopback
from devstack.node import find_node
from devstack.probes import tcp_accepts
from devstack.processes import ROOT, Program, Timeouts
from tests.gate import Gate
from tests.integration.device_stand_ins import MICROPYTHON, SMBUS2, without_repeats, write_modules
from tests.machine import need
from tests.queue_client import queue_client
from tests.service_process import WITHIN_S
from tests.waiting import until

pytestmark = pytest.mark.timeout(180)

DEVICES: Final = ROOT / "deploy/devices"
GESTURES: Final = {
    "hug": "hugging",
    "punch": "punching",
    "throw": "throwing",
    "spin": "spinning",
    "shake": "shaking",
}
SPEED: Final = 8
"""Seconds of a gesture in one of the test."""


def add_only(queue: str) -> str:
    """Return a SAS as docs/how-to/azure.md makes it for a device."""
    return generate_queue_sas(
        ACCOUNT_NAME,
        queue,
        ACCOUNT_KEY,
        permission=QueueSasPermissions(add=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )


@asynccontextmanager
async def device(*command: str | Path, folder: Path) -> AsyncIterator[list[str]]:
    """Run a device's program; yields the lines that it has printed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    lines: list[str] = []

    async def read() -> None:
        assert process.stdout
        while line := await process.stdout.readline():
            lines.append(line.decode().rstrip())

    reading = asyncio.create_task(read())
    try:
        yield lines
        assert process.returncode is None, f"it ended: {lines}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


async def until_printed(text: str, lines: list[str]) -> None:
    """Wait until a line of a device has a text."""
    await until(lambda: any(text in line for line in lines), f"{text!r}", within_s=WITHIN_S)


class Received:
    """The states that arrived, in the order of the queue."""

    def __init__(self, client: QueueClient, lines: list[str]) -> None:
        self._client, self._lines = client, lines
        self.reports: list[dict[str, Any]] = []

    async def until(self, states: set[str]) -> None:
        """Receive until these states are among them, and the pillow rests."""
        deadline = asyncio.get_running_loop().time() + WITHIN_S
        while not (set(self.states) >= states and self.states[-1:] == ["neutral"]):
            assert asyncio.get_running_loop().time() < deadline, (self.states, self._lines)
            async for message in self._client.receive_messages(messages_per_page=32):
                self.reports.append(json.loads(message.content))
                await self._client.delete_message(message)
            await asyncio.sleep(0.05)

    @property
    def states(self) -> list[str]:
        """The states without repetitions."""
        return without_repeats(report["state"] for report in self.reports)


async def reports_all_states_through_an_outage(
    gate: Gate, received: Received, lines: list[str], folder: Path
) -> None:
    """See the first state arrive, and after an outage those that the pillow had in it."""
    await received.until({"neutral"})
    await gate.close()
    (folder / "move").touch()
    await until_printed("not sent", lines)
    await gate.open()
    await received.until({"neutral", *GESTURES.values()})
    order = [(report["at"], report.get("seq", 0)) for report in received.reports]
    assert order == sorted(order), "in the order in which they happened"
    assert {report["pillow"] for report in received.reports} == {"cloud-1"}


@pytest.mark.parametrize("name", ["pillow.py", "pillow_micropython.py"])
def test_a_program_has_at_most_sixty_lines_of_code(name: str) -> None:
    """That is what the page promises. Blank lines and the text at the top are not counted."""
    code = (DEVICES / name).read_text(encoding="utf-8").split('"""', 2)[2]
    assert len([line for line in code.splitlines() if line.strip()]) <= 60


async def test_the_python_pillow_reports_all_states_through_an_outage(
    azurite: Azurite, queue_name: str, tmp_path: Path
) -> None:
    """On a machine without an accelerometer; its module replays gestures."""
    write_modules(tmp_path, {"smbus2": SMBUS2.format(speed=SPEED)}, GESTURES)
    gate = Gate(azurite.port)
    url = f"http://{ports.HOST}:{gate.port}/{ACCOUNT_NAME}/{queue_name}?{add_only(queue_name)}"
    (tmp_path / "pillow.py").write_bytes((DEVICES / "pillow.py").read_bytes())
    async with queue_client(azurite.connection_string, queue_name) as client:
        await client.create_queue()
        run = ("env", f"QUEUE_URL={url}", "PILLOW=cloud-1", sys.executable, "pillow.py")
        async with gate, device(*run, folder=tmp_path) as lines:
            await reports_all_states_through_an_outage(
                gate, Received(client, lines), lines, tmp_path
            )


@pytest.fixture
async def azurite_with_tls(tmp_path: Path) -> AsyncIterator[int]:
    """The port of an Azurite whose certificate is that of an authority in ca.der."""
    certificate, key = certificate_for_loopback(tmp_path)
    port = ports.free()
    program = Program(
        "azurite with TLS",
        [
            find_node(),
            find_azurite(),
            *("--queueHost", ports.HOST, "--queuePort", str(port)),
            *("--cert", certificate, "--key", key),
            *("--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"),
        ],
        ready=partial(tcp_accepts, ports.HOST, port),
        env={"NODE_OPTIONS": None},
        timeouts=Timeouts(stop_s=0.5),
    )
    async with program:
        yield port


def prepare_board(folder: Path, url: str, authority: Path) -> tuple[Path, str]:
    """Write what is copied to a board; return the command that runs it."""
    write_modules(folder, MICROPYTHON, GESTURES)
    (folder / "settings.py").write_text(
        f"WIFI, PILLOW, QUEUE_URL = ('name', 'password'), 'cloud-1', '{url}'\n"
    )
    text = (DEVICES / "pillow_micropython.py").read_text(encoding="utf-8")
    for slow, quick in (("15000, 30000,", "15000, 300,"), ("1000 //", f"{1000 // SPEED} //")):
        assert slow in text
        text = text.replace(slow, quick)
    (folder / "main.py").write_text(text)
    certificate = x509.load_pem_x509_certificate((authority / "ca/ca.crt").read_bytes())
    (folder / "ca.der").write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    program = Path(sys.executable).with_name("micropython")
    need(program.exists(), "this machine has no MicroPython: see the group docs in pyproject.toml")
    return program, "main.py"


async def test_the_micropython_pillow_reports_all_states_through_an_outage(
    azurite_with_tls: int, queue_name: str, tmp_path: Path
) -> None:
    """On MicroPython's Unix port, with stand-ins for the board's modules, over TLS."""
    gate = Gate(azurite_with_tls)
    url = f"https://{ports.HOST}:{gate.port}/{ACCOUNT_NAME}/{queue_name}?{add_only(queue_name)}"
    run = prepare_board(tmp_path, url, tmp_path / "authority")
    async with QueueClient(
        f"https://{ports.HOST}:{azurite_with_tls}/{ACCOUNT_NAME}",
        queue_name,
        AzureNamedKeyCredential(ACCOUNT_NAME, ACCOUNT_KEY),
        api_version=API_VERSION,
        connection_verify=str(tmp_path / "certificate.pem"),
    ) as client:
        await client.create_queue()
        async with gate, device(*run, folder=tmp_path) as lines:
            await reports_all_states_through_an_outage(
                gate, Received(client, lines), lines, tmp_path
            )
            # It removes the file when it has the answer to what the queue has already.
            waiting = tmp_path / "waiting.json"
            await until(lambda: not waiting.exists(), "the file is gone", within_s=WITHIN_S)


async def test_the_micropython_pillow_sends_nothing_to_a_server_it_does_not_trust(
    azurite_with_tls: int, queue_name: str, tmp_path: Path
) -> None:
    """Somebody in between would get its signature."""
    other = tmp_path / "other"
    certificate_for_loopback(other)
    url = f"https://{ports.HOST}:{azurite_with_tls}/{ACCOUNT_NAME}/{queue_name}?sig=secret"
    run = prepare_board(tmp_path, url, other / "authority")
    async with device(*run, folder=tmp_path) as lines:
        await until_printed("trusted CA", lines)


async def test_a_devices_sas_can_only_add(azurite: Azurite, queue_name: str) -> None:
    """Somebody who takes a device apart cannot read the queue with it."""
    async with queue_client(azurite.connection_string, queue_name) as client:
        await client.create_queue()
    async with QueueClient(
        f"{azurite.url}", queue_name, add_only(queue_name), api_version=API_VERSION
    ) as client:
        await client.send_message("HUG")
        for attempt in (client.receive_message, client.peek_messages, client.clear_messages):
            with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
                await attempt()
