"""The command `simulator` against a real Azurite and a real mosquitto."""

import asyncio
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage

from contract.messages import ParsedMessage, decode_message
from contract.updates import Update, decode_state
from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from devstack.probes import http_answers
from devstack.processes import Program
from tests.commands import run_to_end
from tests.machine import need_mosquitto
from tests.metrics import sample
from tests.poller import payload, subscribed
from tests.queue_client import queue_client
from tests.waiting import POLL_S, until

COMMAND = Path(sys.executable).parent / "simulator"
GOLDEN = Path(__file__).parent.parent / "unit" / "simulator" / "seed-7.jsonl"
GOLDEN_OPTIONS = ("--target", "stdout", "--seed", "7", "--start", "2026-11-22T06:00:00Z")

WITHIN_S = 60.0
"""Deadline of everything here, which is generous for a busy machine."""

pytestmark = pytest.mark.timeout(180)


def environment(**given: str) -> dict[str, str]:
    """Return this process's environment without the project's settings, and with those given."""
    prefixes = ("SIMULATOR_", "AZURE_", "QUEUE_", "MQTT_", "TOPIC_", "LOG_", "INSTANCE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    return {**kept, "LOG_FORMAT": "console", **given}


@asynccontextmanager
async def simulator(*options: str, **settings: str) -> AsyncIterator[Program]:
    """Run the command; kill it at the end if it has not ended by then."""
    program = Program("simulator", ["env", "-i", *_assignments(settings), COMMAND, *options])
    await program.spawn()
    try:
        yield program
    finally:
        program.kill()
        await program.wait()


def _assignments(settings: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment(**settings).items()]


async def ends(program: Program) -> int:
    """Wait for the command to end; return its exit status."""
    async with asyncio.timeout(WITHIN_S):
        return await program.wait()


async def stops(program: Program) -> None:
    """Send SIGTERM; check that the command ends with status 0, which it has not at its deadline."""
    program.terminate()
    assert await ends(program) == 0
    assert "Traceback" not in program.log.text


async def received(connection_string: str, queue: str, count: int) -> list[QueueMessage]:
    """Receive and delete `count` messages of a queue, once it exists."""
    messages: list[QueueMessage] = []
    async with (
        asyncio.timeout(WITHIN_S),
        queue_client(connection_string, queue) as client,
    ):
        while len(messages) < count:
            try:
                async for message in client.receive_messages(messages_per_page=32, max_messages=32):
                    messages.append(message)
                    await client.delete_message(message)
            except ResourceNotFoundError:
                pass
            await asyncio.sleep(POLL_S)
    return messages


# To the queue.


async def test_a_missing_queue_is_created_and_gets_exactly_count_states(
    azurite: Azurite, queue_name: str
) -> None:
    """Each is valid, numbered from 0, and expires after an hour."""
    async with simulator(
        "--count",
        "12",
        "--rate",
        "20",
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
        QUEUE_NAME=queue_name,
    ) as running:
        assert await ends(running) == 0
        messages = await received(azurite.connection_string, queue_name, 12)

    assert len(messages) == 12
    seqs: dict[str, list[int]] = {}
    for message in messages:
        decoded = decode_message(message.content, default_pillow="none", queued_us=0)
        assert isinstance(decoded, ParsedMessage)
        seqs.setdefault(decoded.pillow, []).append(decoded.order[1])
        assert message.inserted_on is not None
        assert message.expires_on == message.inserted_on + timedelta(hours=1)
    assert {pillow: sorted(numbers) for pillow, numbers in seqs.items()} == {
        "cloud-1": [0, 1, 2, 3],
        "cloud-2": [0, 1, 2, 3],
        "cloud-3": [0, 1, 2, 3],
    }


async def test_an_unreachable_queue_service_is_logged_once_and_retried_until_it_answers(
    queue_name: str,
) -> None:
    """The log line names the address and the setting to check; recovery is logged once as well."""
    azurite = Azurite(ports.free())
    async with simulator(
        "--rate",
        "5",
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
        QUEUE_NAME=queue_name,
    ) as running:
        line = await running.log.wait_for("sending failed", within_s=WITHIN_S)
        assert f"127.0.0.1:{azurite.port}" in line
        assert "AZURE_STORAGE_CONNECTION_STRING" in line
        async with azurite:
            await running.log.wait_for("sending resumed", within_s=WITHIN_S)
            await received(azurite.connection_string, queue_name, 3)
            await stops(running)

    assert running.log.text.count("sending failed") == 1
    assert running.log.text.count("sending resumed") == 1


async def test_a_deleted_queue_is_created_again(azurite: Azurite, queue_name: str) -> None:
    """Without an error in the log."""
    async with simulator(
        "--rate",
        "5",
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
        QUEUE_NAME=queue_name,
    ) as running:
        await received(azurite.connection_string, queue_name, 1)
        async with queue_client(azurite.connection_string, queue_name) as client:
            await client.delete_queue()
        await received(azurite.connection_string, queue_name, 3)
        await stops(running)

    assert "sending failed" not in running.log.text


async def test_a_wrong_key_is_logged_with_the_setting_to_check(
    azurite: Azurite, queue_name: str
) -> None:
    """And without the key."""
    wrong = azurite.connection_string.replace("AccountKey=Eby8", "AccountKey=0000")
    async with simulator(AZURE_STORAGE_CONNECTION_STRING=wrong, QUEUE_NAME=queue_name) as running:
        line = await running.log.wait_for("sending failed", within_s=WITHIN_S)
        await stops(running)

    assert "does not accept the credential" in line
    assert "AZURE_STORAGE_CONNECTION_STRING" in line
    assert "0000" not in running.log.text


async def test_an_invalid_connection_string_ends_the_command_with_status_2() -> None:
    """The message does not contain the string."""
    async with simulator(AZURE_STORAGE_CONNECTION_STRING="hunter2") as running:
        assert await ends(running) == 2

    assert (
        "AZURE_STORAGE_CONNECTION_STRING (value not shown): is not of the form" in running.log.text
    )
    assert "hunter2" not in running.log.text
    assert "Traceback" not in running.log.text


# To MQTT.


async def received_on_mqtt(
    broker: Broker, topic: str, count: int, *, retained: bool = True
) -> dict[str, bytes]:
    """Return what mosquitto_sub receives for a filter: `count` messages, by topic."""
    output, _, _ = await run_to_end(
        "mosquitto_sub",
        *("-h", ports.HOST, "-p", str(broker.port), "-t", topic, "-C", str(count), "-F", "%t %p"),
        *(["--retained-only"] if retained else []),
        env=os.environ,
        within_s=WITHIN_S,
    )
    pairs = [line.split(b" ", 1) for line in output.splitlines()]
    return {topic.decode(): payload for topic, payload in pairs}


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_each_pillow_is_an_mqtt_client_with_retained_states_and_an_availability(
    broker: Broker, prefix: str, protocol: str
) -> None:
    """States have every hop; pillows are online until the command is stopped, then offline."""
    began_ms = int(time.time() * 1000)
    async with simulator(
        "--target",
        "mqtt",
        "--rate",
        "5",
        MQTT_URL=broker.url_for("simulator"),
        MQTT_PROTOCOL=protocol,
        TOPIC_PREFIX=prefix,
    ) as running:
        states = await received_on_mqtt(broker, f"{prefix}/+/state", 3, retained=False)
        while len(states) < 3:
            states |= await received_on_mqtt(broker, f"{prefix}/+/state", 3)
        online = await received_on_mqtt(broker, f"{prefix}/+/availability", 3)
        await stops(running)
    offline = await received_on_mqtt(broker, f"{prefix}/+/availability", 3)
    kept = await received_on_mqtt(broker, f"{prefix}/+/state", 3)

    pillows = ("cloud-1", "cloud-2", "cloud-3")
    for pillow in pillows:
        text = states[f"{prefix}/{pillow}/state"]
        update = decode_state(pillow, text)
        assert isinstance(update, Update)
        hops = json.loads(text)["hops"]
        assert hops.keys() == {"queued", "polled", "published"}
        assert len(set(hops.values())) == 1
        at_ms = update.order[0] / 1000
        assert began_ms <= at_ms <= hops["published"] + 1000 <= time.time() * 1000 + 1000
    assert online == {f"{prefix}/{pillow}/availability": b"online" for pillow in pillows}
    assert offline == {f"{prefix}/{pillow}/availability": b"offline" for pillow in pillows}
    assert len(kept) == 3


async def test_after_a_restart_of_the_broker_pillows_are_online_and_states_are_sent_again(
    prefix: str,
) -> None:
    """The session logs the outage, so the sender does not."""
    need_mosquitto()
    async with (
        Broker(kind="mosquitto", topic_prefix=prefix) as broker,
        simulator(
            "--target",
            "mqtt",
            "--rate",
            "5",
            MQTT_URL=broker.url_for("simulator"),
            TOPIC_PREFIX=prefix,
        ) as running,
    ):
        await received_on_mqtt(broker, f"{prefix}/+/state", 1, retained=False)
        broker.kill()
        await running.log.wait_for("broker lost", within_s=WITHIN_S)
        running.log.clear()
        await broker.start()
        await running.log.wait_for("broker ready", within_s=WITHIN_S)
        # Some are published before the subscription, and are retained, and others after it.
        online = await received_on_mqtt(broker, f"{prefix}/+/availability", 3, retained=False)
        await received_on_mqtt(broker, f"{prefix}/+/state", 3, retained=False)
        await stops(running)

    assert set(online.values()) == {b"online"}
    assert "sending failed" not in running.log.text, "the session has logged it"


async def test_a_refused_publish_is_logged_once_with_the_setting_to_check(
    prefix: str, tmp_path: Path
) -> None:
    """The broker's ACL here allows only status topics."""
    need_mosquitto()
    port = ports.free()
    (tmp_path / "acl").write_text(f"pattern read #\npattern write {prefix}/bridge/#\n")
    config = tmp_path / "mosquitto.conf"
    # With another user mosquitto could not read this folder when root runs the tests.
    config.write_text(
        f"listener {port} {ports.HOST}\nallow_anonymous true\nacl_file {tmp_path}/acl\nuser root\n"
    )
    strict = Program("strict", ["mosquitto", "-c", config])
    await strict.spawn()
    try:
        async with simulator(
            "--target",
            "mqtt",
            "--rate",
            "20",
            MQTT_URL=f"mqtt://{ports.HOST}:{port}",
            TOPIC_PREFIX=prefix,
        ) as running:
            line = await running.log.wait_for("refused a publish", within_s=WITHIN_S)
            await stops(running)
    finally:
        await strict.stop()

    assert f"{prefix}/cloud-" in line
    assert "MQTT_URL" in line
    assert running.log.text.count("refused a publish") == 1
    assert "never retrieved" not in running.log.text


# To standard output.


async def run_command(*options: str, **settings: str) -> tuple[bytes, bytes, int | None]:
    """Run the command to its end; return its output, its log and its exit status."""
    return await run_to_end(COMMAND, *options, env=environment(**settings), within_s=WITHIN_S)


async def test_the_same_seed_and_start_give_the_bytes_of_the_golden_file() -> None:
    """In every process, with any hash seed; standard output contains nothing else."""
    out, log, status = await run_command(*GOLDEN_OPTIONS, "--count", "4")
    again, _, _ = await run_command(*GOLDEN_OPTIONS, "--count", "4", PYTHONHASHSEED="7")

    assert status == 0
    assert out == again == b"".join(GOLDEN.read_bytes().splitlines(keepends=True)[:4])
    assert b"seed=7" in log
    assert b"simulator run day --seed 7" in log
    assert b"sent=4" in log


async def test_another_speed_gives_the_same_bytes() -> None:
    """60 times as fast, and without waiting."""
    options = ("run", *GOLDEN_OPTIONS, "--count", "90")
    accelerated, _, _ = await run_command(*options, "--speed", "60")
    unpaced, _, _ = await run_command(*options, "--speed", "max", "--print-seed")

    assert accelerated == unpaced == GOLDEN.read_bytes()


async def test_a_random_seed_is_logged_and_repeats_the_stream() -> None:
    """Except `at`, which is the wall clock's."""

    def without_at(out: bytes) -> list[dict[str, object]]:
        return [{**json.loads(line), "at": ""} for line in out.splitlines()]

    options = ("--target", "stdout", "--rate", "50", "--pillows", "5", "--count", "100")
    out, log, _ = await run_command(*options, LOG_FORMAT="json")
    seed = json.loads(log.splitlines()[0])["seed"]
    again, _, _ = await run_command(*options, "--seed", str(seed))

    assert len(out.splitlines()) == 100
    assert without_at(out) == without_at(again)


async def test_a_closed_pipe_ends_the_command_with_status_0() -> None:
    """As `simulator | head -2` does."""
    read, write = os.pipe()
    running = await asyncio.create_subprocess_exec(
        COMMAND,
        *("--target", "stdout", "--rate", "50"),
        stdout=write,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    os.close(write)
    # As `head` does, close the pipe after reading some of it.
    await asyncio.to_thread(os.read, read, 100)
    os.close(read)
    async with asyncio.timeout(WITHIN_S):
        _, log = await running.communicate()

    assert running.returncode == 0
    assert b"Traceback" not in log
    assert b"BrokenPipe" not in log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_command_while_its_output_pipe_is_full(
    number: signal.Signals,
) -> None:
    """Though nothing reads from the pipe."""
    read, write = os.pipe()
    running = await asyncio.create_subprocess_exec(
        COMMAND,
        *("--target", "stdout", "--rate", "1000", "--pillows", "100"),
        stdout=write,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    os.set_blocking(write, False)
    try:
        await until(lambda: not _is_writable(write), "the pipe is full", within_s=WITHIN_S)
        running.send_signal(number)
        async with asyncio.timeout(WITHIN_S):
            _, log = await running.communicate()
    finally:
        os.close(write)
        os.close(read)
        if running.returncode is None:
            running.kill()
            await running.wait()

    assert running.returncode == 0
    assert b"stopped" in log


def _is_writable(pipe: int) -> bool:
    return bool(select.select([], [pipe], [], 0)[1])


async def test_standard_output_may_be_a_file(tmp_path: Path) -> None:
    """select() reports a file as writable at any time."""
    output = tmp_path / "output.jsonl"
    with output.open("wb") as file:
        running = await asyncio.create_subprocess_exec(
            COMMAND,
            *GOLDEN_OPTIONS,
            *("--count", "3"),
            stdout=file,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment(),
        )
        async with asyncio.timeout(WITHIN_S):
            assert await running.wait() == 0

    assert output.read_bytes() == b"".join(GOLDEN.read_bytes().splitlines(keepends=True)[:3])


# Wrong usage.


async def test_all_invalid_settings_are_reported_together() -> None:
    """Those of the environment and those of options; exit status 2, and nothing is sent."""
    out, log, status = await run_command(
        "--pillows", "0", SIMULATOR_SCENARIO="war", SIMULATOR_TARGET="kafka"
    )

    assert status == 2
    assert out == b""
    for wrong in (b"SIMULATOR_PILLOWS = 0", b"SIMULATOR_SCENARIO = 'war'", b"SIMULATOR_TARGET ="):
        assert wrong in log
    assert b"Traceback" not in log


@pytest.mark.parametrize(
    "options", [("--start", "yesterday"), ("--count", "0"), ("--pillows", "few"), ("--what",)]
)
async def test_an_invalid_option_ends_the_command_with_status_2(options: tuple[str, ...]) -> None:
    """The message names the option."""
    out, log, status = await run_command("--target", "stdout", *options)

    assert status == 2
    assert out == b""
    assert options[0].encode() in log
    assert b"Traceback" not in log


async def test_the_help_of_run_names_every_setting_and_has_examples() -> None:
    """Each option with the environment variable that it overrides."""
    out, _, status = await run_command("run", "--help", TERM="dumb", COLUMNS="200")

    assert status == 0
    for word in (b"TARGET", b"PILLOWS", b"SEED", b"RATE", b"SCENARIO"):
        assert b"SIMULATOR_" + word in out
        assert b"--" + word.lower() in out
    assert b"simulator run busy-day --seed 7 --speed 60" in out


@pytest.mark.parametrize(
    "command", ["run", "list", "check", "record", "replay", "poke", "clear", "trace"]
)
async def test_the_help_of_every_command_has_examples(command: str) -> None:
    """After the heading Examples."""
    out, _, status = await run_command(command, "--help", TERM="dumb", COLUMNS="200")

    assert status == 0
    assert b"simulator " + command.encode() in out.partition(b"Examples")[2]


# Scenarios.


async def test_the_printed_file_of_a_scenario_is_valid_as_a_file(tmp_path: Path) -> None:
    """`list NAME` prints it."""
    text, _, _ = await run_command("list", "smoke")
    mine = tmp_path / "mine.toml"
    mine.write_bytes(text)
    out, _, status = await run_command("check", str(mine), "--dry")

    assert (status, out.split(b" is valid")[0].decode()) == (0, str(mine))


async def test_an_invalid_scenario_ends_the_command_with_status_2(tmp_path: Path) -> None:
    """The message has the file, the path of the value and what to write."""
    mine = tmp_path / "mine.toml"
    mine.write_text('about = "x"\n[[pillows]]\ncuont = 3\n')
    for command in ("run", "check"):
        out, log, status = await run_command(command, str(mine))
        assert (status, out) == (2, b"")
        assert b"mine.toml: Object contains unknown field `cuont`" in log
        assert b"at `$.pillows[0]`; did you mean 'count'?" in log
        assert b"Traceback" not in log


async def test_an_unknown_scenario_ends_the_command_with_status_2() -> None:
    """A missing file, and a misspelt name, for which the right one is suggested."""
    for name, says in (("none.toml", b"is not a file"), ("smoek", b"did you mean smoke?")):
        _, log, status = await run_command("run", name)
        assert status == 2
        assert says in log


# The network of single pillows.


async def test_the_broker_publishes_the_last_will_of_a_disconnected_pillow(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """And the pillow reconnects and publishes its state."""
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'about = "x"\n[[pillows]]\ncount = 3\nevery = "200ms"\n'
        '[[faults]]\nkind = "disconnect"\npillows = "cloud-2"\nfrom = "2s"\nby = "3s"\n'
    )
    async with (
        subscribed(broker, f"{prefix}/cloud-2/availability") as said,
        simulator(
            "run",
            str(mine),
            "--target",
            "mqtt",
            MQTT_URL=broker.url_for("simulator"),
            TOPIC_PREFIX=prefix,
        ) as running,
    ):
        await until(lambda: len(said) >= 3, "it is gone and back", within_s=WITHIN_S)
        others = await received_on_mqtt(broker, f"{prefix}/+/availability", 3)
        await received_on_mqtt(broker, f"{prefix}/cloud-2/state", 1, retained=False)
        await stops(running)

    assert [payload(one) for one in said][:3] == [b"online", b"offline", b"online"]
    assert set(others.values()) == {b"online"}
    assert "Traceback" not in running.log.text


async def test_above_max_connections_pillows_have_no_availability(
    broker: Broker, prefix: str
) -> None:
    """They share the simulator's connection."""
    async with simulator(
        *("run", "--target", "mqtt", "--pillows", "30", "--connections", "10", "--rate", "5"),
        MQTT_URL=broker.url_for("simulator"),
        TOPIC_PREFIX=prefix,
    ) as running:
        topics: dict[str, bytes] = {}
        while len(topics) < 30:
            topics |= await received_on_mqtt(broker, f"{prefix}/#", 30)
        await stops(running)

    kinds = {topic.rpartition("/")[2] for topic in topics}
    assert kinds <= {"state", "status"}


# A single message.


async def test_poke_sends_one_message_with_the_given_fields_and_samples(
    azurite: Azurite, queue_name: str
) -> None:
    """And prints it."""
    where = {
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
        "QUEUE_NAME": queue_name,
    }
    _, log, status = await run_command(
        "poke", "cloud-1", "hug", "--field", "room=attic", "--field", "floor=3", **where
    )
    (message,) = await received(azurite.connection_string, queue_name, 1)

    assert status == 0
    assert b"sent to queue: " in log
    body = json.loads(message.content)
    assert (body["pillow"], body["state"]) == ("cloud-1", "hugging")
    assert (body["room"], body["floor"]) == ("attic", 3)
    assert len(body["motion"]) == 32


@pytest.mark.parametrize(
    "words", [("cloud-1", "flying"), ("Cloud 1", "hug"), ("cloud-1", "hug", "--fault", "loss")]
)
async def test_an_invalid_poke_ends_the_command_with_status_2(words: tuple[str, ...]) -> None:
    """The message names the state, the id or the fault."""
    _, log, status = await run_command("poke", *words)

    assert status == 2
    assert words[-1].encode() in log or words[0].encode() in log


async def test_a_poke_to_an_unreachable_queue_ends_with_status_1(queue_name: str) -> None:
    """And with the reason."""
    stopped = Azurite(ports.free())
    _, log, status = await run_command(
        "poke",
        "cloud-1",
        "hug",
        AZURE_STORAGE_CONNECTION_STRING=stopped.connection_string,
        QUEUE_NAME=queue_name,
    )

    assert status == 1
    assert b"not sent: no response from http://127.0.0.1:" in log


# Record and replay.


async def test_a_recording_is_replayed_renamed_and_twice(
    broker: Broker, azurite: Azurite, prefix: str, queue_name: str, tmp_path: Path
) -> None:
    """From MQTT to a file, and from the file to a queue, without the recorded hops."""
    recording = tmp_path / "recording.jsonl"
    where = {
        "MQTT_URL": broker.url_for("simulator"),
        "TOPIC_PREFIX": prefix,
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
        "QUEUE_NAME": queue_name,
    }
    async with simulator("record", str(recording), "--count", "12", **where) as recorder:
        await recorder.log.wait_for("broker ready", within_s=WITHIN_S)
        async with simulator("run", "--target", "mqtt", "--rate", "10", **where) as running:
            assert await ends(recorder) == 0
            await stops(running)
    lines = [json.loads(line) for line in recording.read_bytes().splitlines()]
    states = [json.loads(line["body"]) for line in lines[1:] if "body" in line]
    _, _, status = await run_command(
        *("replay", str(recording), "--target", "queue", "--speed", "max"),
        *("--times", "2", "--rename", "cloud-1=star", "--prefix", "re-"),
        **where,
    )
    messages = await received(azurite.connection_string, queue_name, 2 * len(states))

    assert lines[0]["from"] == "mqtt"
    assert len(lines) == 13
    assert status == 0
    replayed = [json.loads(message.content) for message in messages]
    assert {state["pillow"] for state in replayed} <= {
        f"re-{name}{copy}" for name in ("star", "cloud-2", "cloud-3") for copy in ("", "-2")
    }
    assert sorted(state["confidence"] for state in replayed) == sorted(
        state["confidence"] for state in states for _ in range(2)
    )
    assert all("hops" not in state for state in replayed)


async def test_recording_a_queue_neither_receives_nor_hides_its_messages(
    azurite: Azurite, queue_name: str, tmp_path: Path
) -> None:
    """Their dequeue count is 1 when they are received afterwards."""
    recording = tmp_path / "recording.jsonl"
    where = {
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
        "QUEUE_NAME": queue_name,
    }
    await run_command("run", "--rate", "50", "--count", "9", **where)
    _, _, status = await run_command(
        "record", str(recording), "--from", "queue", "--count", "9", **where
    )
    messages = await received(azurite.connection_string, queue_name, 9)

    assert status == 0
    bodies = [json.loads(line)["body"] for line in recording.read_bytes().splitlines()[1:]]
    assert sorted(bodies) == sorted(message.content for message in messages)
    assert all(message.dequeue_count == 1 for message in messages)


async def test_an_existing_file_is_not_overwritten_without_force(tmp_path: Path) -> None:
    """Exit status 2, and the file is unchanged."""
    recording = tmp_path / "recording.jsonl"
    recording.write_text("precious")
    _, log, status = await run_command("record", str(recording))

    assert status == 2
    assert b"--force" in log
    assert recording.read_text() == "precious"


async def test_replaying_an_invalid_file_ends_the_command_with_status_2(tmp_path: Path) -> None:
    """And nothing is sent."""
    recording = tmp_path / "recording.jsonl"
    recording.write_text("precious")
    out, log, status = await run_command("replay", str(recording), "--target", "stdout")

    assert (status, out) == (2, b"")
    assert b"recording.jsonl:1: not a recording" in log


async def test_a_run_has_metrics_and_readiness_on_its_port() -> None:
    """Only where the port is set; an outage of the target is a reason not to be ready."""
    port = ports.free()
    options = ("run", "--target", "mqtt", "--pillows", "2", "--rate", "20", "--seed", "1")
    settings = {"SIMULATOR_PORT": str(port), "MQTT_URL": f"mqtt://127.0.0.1:{ports.free()}"}
    command: list[str | Path] = ["env", "-i", *_assignments(settings), COMMAND, *options]
    ready = partial(http_answers, ports.HOST, port, "/readyz", status=503)
    client = httpx.AsyncClient(timeout=WITHIN_S)
    async with Program("simulator", command, ready=ready), client as http:
        text = (await http.get(f"http://{ports.HOST}:{port}/metrics")).text

    assert sample(text, "pillowcast_simulator_pillows") == 2
    assert sample(text, "pillowcast_simulator_ready") == 0
    assert sample(text, 'pillowcast_simulator_messages_total{outcome="sent"}') == 0


async def test_a_port_that_is_taken_ends_the_run_with_its_setting() -> None:
    """As in the other services."""
    with socket.create_server((ports.HOST, 0)) as taken:
        port = str(taken.getsockname()[1])
        async with simulator("run", "--target", "stdout", SIMULATOR_PORT=port) as running:
            assert await ends(running) == 2

    assert "set SIMULATOR_PORT to a free port" in running.log.text
