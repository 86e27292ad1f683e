"""The recorder between real mosquitto and a real file: kills, a full disk, and who reads."""

import asyncio
import json
import resource
import time
from pathlib import Path
from typing import Any

import pytest

from contract.timestamps import format_timestamp
from devstack.broker import Broker
from history.database import HistoryUrl, open_database
from history.reading import HistoryReader
from tests.gateway import Gateway, connect_publisher
from tests.recorder import Recorder
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)


def now_state(seq: int, state: str = "hugging") -> bytes:
    """Return a state of this moment."""
    at = format_timestamp(round(time.time() * 1000) * 1000)
    return json.dumps({"pillow": "cloud-1", "state": state, "at": at, "seq": seq}).encode()


def largest_file(folder: Path) -> int:
    """Return its size in bytes."""
    return max(path.stat().st_size for path in folder.iterdir())


async def recorded(url: str) -> list[dict[str, Any]]:
    """Return every state of cloud-1 in a database."""
    engine = open_database(HistoryUrl.parse(url), read_only=True)
    try:
        pages = HistoryReader(engine).walk("cloud-1", 0, 2**62)
        return [json.loads(state) async for page in pages for state in page]
    finally:
        await engine.dispose()


async def test_a_kill_loses_only_what_the_summary_says_nobody_heard(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """Each state is there once, or its time is in a gap."""
    recorder = Recorder(tmp_path, prefix, broker)
    gateway = Gateway(broker, prefix, HISTORY_URL=recorder.url)
    published: list[bytes] = []

    async with connect_publisher(broker, prefix) as publisher:

        async def publish(count: int) -> None:
            for _ in range(count):
                published.append(await publisher.publish(now_state(len(published))))
                await asyncio.sleep(0.01)  # one after the other, as a pillow sends them

        try:
            await recorder.start()
            await publish(40)
            sending = asyncio.create_task(publish(120))
            await asyncio.sleep(0.3)  # in the middle of a batch, wherever that is
            recorder.kill()
            await recorder.start()
            await sending
            await publish(5)

            async def has_last() -> bool:
                found = await recorded(recorder.url)
                return bool(found) and found[-1]["seq"] == len(published) - 1

            await eventually(has_last, "the last state is recorded")
            async with gateway:
                summary = (await gateway.get("/api/pillows/cloud-1/summary?days=2")).json()
                steps = (await gateway.get("/api/pillows/cloud-1/activity?step=900")).json()
                today = (await gateway.get("/api/today")).json()
        finally:
            await recorder.close()

    found = [state["seq"] for state in await recorded(recorder.url)]
    assert found == sorted(set(found))
    gaps = [gap for day in summary["days"] for gap in day["unheard"]]
    missing = set(range(len(published))) - set(found)
    unexplained = [
        seq
        for seq in sorted(missing)
        if not any(begin <= json.loads(published[seq])["at"] <= end for begin, end in gaps)
    ]
    assert unexplained == []
    assert summary["source"] == "recorder"
    assert sum(day["states"].get("hugging", {}).get("episodes", 0) for day in summary["days"]) == 1
    assert (steps["source"], today["source"]) == ("recorder", "recorder")
    assert sum(step["episodes"].get("hugging", 0) for step in steps["steps"]) == 1
    hugs = summary["days"][-1]["states"].get("hugging", {}).get("episodes", 0)
    assert today["pillows"]["cloud-1"]["hugs"] == hugs


async def test_a_full_disk_is_said_and_recording_goes_on_when_there_is_room(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """No state is lost meanwhile. A limit of the file's size stands for the disk."""
    recorder = Recorder(tmp_path, prefix, broker)
    try:
        async with connect_publisher(broker, prefix) as publisher:
            await recorder.start()
            assert recorder.pid is not None
            _, hard = resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE)
            used = largest_file(tmp_path)
            resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE, (used + 4096, hard))
            payloads = [now_state(seq) for seq in range(400)]
            await publisher.publish_all(payloads)

            async def says_so() -> bool:
                response = await recorder.get("/readyz")
                return response.status_code == 503 and "database" in response.text

            await eventually(says_so, "readiness says that the database fails")
            resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE, (hard, hard))

            async def has_all() -> bool:
                return len(await recorded(recorder.url)) == 400

            await eventually(has_all, "all states are recorded")
            assert "the database cannot be written" in recorder.log.text
    finally:
        await recorder.close()


async def test_a_gateway_without_its_database_tells_from_memory(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """It says so, and tells from the database when that is back."""
    recorder = Recorder(tmp_path, prefix, broker)
    gateway = Gateway(broker, prefix, HISTORY_URL=recorder.url)
    try:
        async with connect_publisher(broker, prefix) as publisher, gateway:
            await publisher.publish(now_state(0))

            async def source() -> str | None:
                response = await gateway.get("/api/pillows/cloud-1/history?limit=10")
                return response.json().get("source") if response.status_code == 200 else None

            async def is_memory() -> bool:
                return await source() == "memory"

            await eventually(is_memory, "it is told from memory")
            await recorder.start()

            async def is_recorder() -> bool:
                return await source() == "recorder"

            await eventually(is_recorder, "it is told from the database")
    finally:
        await recorder.close()


async def test_the_commands_tell_and_export_what_is_recorded(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """While the service runs."""
    recorder = Recorder(tmp_path, prefix, broker)
    try:
        async with connect_publisher(broker, prefix) as publisher:
            await recorder.start()
            sent = [await publisher.publish(now_state(seq)) for seq in range(3)]

            async def is_written() -> bool:
                return await recorder.metric("recorded_total") == 3

            await eventually(is_written, "written")
            out, _, status = await recorder.run_command("stats", "--json")
            assert (status, json.loads(out)["states"]) == (0, 3)
            out, _, status = await recorder.run_command("export", "--pillow", "cloud-1")
            assert (status, out.splitlines()) == (0, [one.decode() for one in sent])
            out, err, status = await recorder.run_command("export", "--pillow", "cloud-9")
            assert (out, status) == ("", 1)
            assert "nothing is recorded of cloud-9" in err
            _, err, status = await recorder.run_command("export", "--from", "yesterday")
            assert status == 2
            assert "'yesterday' is no instant" in err
            out, _, status = await recorder.run_command("prune", "--keep-days", "30")
            assert status == 0
    finally:
        await recorder.close()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("--from", "2026-12-01", "--to", "2026-11-01"),
            "2026-12-01T00:00:00.000Z is not before --to",
        ),
        (("--pillow", "Cloud 1"), "'Cloud 1' can be no pillow's id"),
        (("--format", "parquet"), "parquet needs a FILE"),
        (("no-folder/a.csv",), "there is no folder no-folder"),
        (("/tmp", "--force"), "/tmp is a folder"),
    ],
)
async def test_an_export_that_cannot_be_is_wrong_usage(
    broker: Broker, prefix: str, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    """Before the database is opened."""
    recorder = Recorder(tmp_path, prefix, broker)

    _, err, status = await recorder.run_command("export", *words)

    assert status == 2
    assert says in err


@pytest.mark.parametrize("words", [(), ("stats",), ("export",), ("prune",)])
async def test_without_a_database_it_ends_at_once(
    broker: Broker, prefix: str, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """With the variable, and what to write."""
    recorder = Recorder(tmp_path, prefix, broker, HISTORY_URL="")

    _, err, status = await recorder.run_command(*words)

    assert status == 2
    assert "HISTORY_URL is not set" in err
