"""The simulator as its users run it: the command, against real Azurite and real mosquitto."""

import asyncio
import json
import os
import select
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage

from contract.messages import ParsedMessage, decode_message
from contract.updates import Update, decode_state
from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from devstack.processes import Program
from tests.commands import run_to_end
from tests.machine import need_mosquitto
from tests.queue_client import queue_client
from tests.waiting import POLL_S, until

COMMAND = Path(sys.executable).parent / "simulator"
GOLDEN = Path(__file__).parent.parent / "unit" / "simulator" / "seed-7.jsonl"
GOLDEN_OPTIONS = ("--target", "stdout", "--seed", "7", "--start", "2026-11-22T06:00:00Z")

WITHIN_S = 20.0
"""How long anything here may take on a busy machine."""


def environment(**given: str) -> dict[str, str]:
    """This process's environment without any setting of ours, and what is given."""
    ours = ("SIMULATOR_", "AZURE_", "QUEUE_", "MQTT_", "TOPIC_", "LOG_", "INSTANCE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "LOG_FORMAT": "console", **given}


@asynccontextmanager
async def simulator(*options: str, **settings: str) -> AsyncIterator[Program]:
    """The command, running; killed at the end if it has not ended by then."""
    program = Program("simulator", ["env", "-i", *_words(settings), COMMAND, *options])
    await program.spawn()
    try:
        yield program
    finally:
        program.kill()
        await program.wait()


def _words(settings: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment(**settings).items()]


async def ends(program: Program) -> int:
    """Wait for the command's end and return its exit status."""
    async with asyncio.timeout(WITHIN_S):
        return await program.wait()


async def stops(program: Program) -> None:
    """SIGTERM ends it in order, and well before its ten-second deadline."""
    program.terminate()
    async with asyncio.timeout(5):
        assert await program.wait() == 0
    assert "Traceback" not in program.log.text


async def received(connection_string: str, queue: str, count: int) -> list[QueueMessage]:
    """Take messages off a queue until there are so many, waiting for it to be made if need be."""
    taken: list[QueueMessage] = []
    async with (
        asyncio.timeout(WITHIN_S),
        queue_client(connection_string, queue) as client,
    ):
        while len(taken) < count:
            try:
                async for message in client.receive_messages(messages_per_page=32, max_messages=32):
                    taken.append(message)
                    await client.delete_message(message)
            except ResourceNotFoundError:
                pass
            await asyncio.sleep(POLL_S)
    return taken


# To the queue.


async def test_states_are_put_on_a_queue_that_was_not_there(
    azurite: Azurite, queue_name: str
) -> None:
    """Exactly as many as asked for, each as the contract reads it, kept for an hour at most."""
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
    said: dict[str, list[int]] = {}
    for message in messages:
        reading = decode_message(message.content, default_pillow="none", queued_us=0)
        assert isinstance(reading, ParsedMessage)
        said.setdefault(reading.pillow, []).append(reading.order[1])
        assert message.inserted_on is not None
        assert message.expires_on == message.inserted_on + timedelta(hours=1)
    assert {pillow: sorted(seqs) for pillow, seqs in said.items()} == {
        "cloud-1": [0, 1, 2, 3],
        "cloud-2": [0, 1, 2, 3],
        "cloud-3": [0, 1, 2, 3],
    }


async def test_a_queue_service_that_comes_late_is_waited_for(queue_name: str) -> None:
    """It says once what is missing and which setting to look at, and once that all is well."""
    late = Azurite(ports.free())
    async with simulator(
        "--rate",
        "5",
        AZURE_STORAGE_CONNECTION_STRING=late.connection_string,
        QUEUE_NAME=queue_name,
    ) as running:
        why = await running.log.wait_for("sending failed", within_s=WITHIN_S)
        assert f"127.0.0.1:{late.port}" in why
        assert "AZURE_STORAGE_CONNECTION_STRING" in why
        async with late:
            await running.log.wait_for("sending resumed", within_s=WITHIN_S)
            await received(late.connection_string, queue_name, 3)
            await stops(running)

    assert running.log.text.count("sending failed") == 1
    assert running.log.text.count("sending resumed") == 1


async def test_a_queue_that_is_deleted_is_made_again(azurite: Azurite, queue_name: str) -> None:
    """Nobody needs to start the simulator again."""
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


async def test_a_wrong_key_is_said_with_the_setting_to_look_at(
    azurite: Azurite, queue_name: str
) -> None:
    """The sentence does not show the key."""
    wrong = azurite.connection_string.replace("AccountKey=Eby8", "AccountKey=0000")
    async with simulator(AZURE_STORAGE_CONNECTION_STRING=wrong, QUEUE_NAME=queue_name) as running:
        why = await running.log.wait_for("sending failed", within_s=WITHIN_S)
        await stops(running)

    assert "does not accept the credential" in why
    assert "AZURE_STORAGE_CONNECTION_STRING" in why
    assert "0000" not in running.log.text


async def test_a_connection_string_that_is_none_ends_it_at_once() -> None:
    """With the exit status of wrong usage, and without showing it."""
    async with simulator(AZURE_STORAGE_CONNECTION_STRING="hunter2") as running:
        assert await ends(running) == 2

    assert "AZURE_STORAGE_CONNECTION_STRING cannot be used" in running.log.text
    assert "hunter2" not in running.log.text
    assert "Traceback" not in running.log.text


# To MQTT.


async def heard(
    broker: Broker, topic: str, count: int, *, retained: bool = True
) -> dict[str, bytes]:
    """What mosquitto_sub hears of a filter: so many messages, by topic."""
    said, _, _ = await run_to_end(
        "mosquitto_sub",
        *("-h", ports.HOST, "-p", str(broker.port), "-t", topic, "-C", str(count), "-F", "%t %p"),
        *(["--retained-only"] if retained else []),
        env=os.environ,
        within_s=WITHIN_S,
    )
    words = [line.split(b" ", 1) for line in said.splitlines()]
    return {word[0].decode(): word[1] for word in words}


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_pillows_speak_mqtt_themselves(broker: Broker, prefix: str, protocol: str) -> None:
    """Their states are retained with every hop, and they are online until they are stopped."""
    async with simulator(
        "--target",
        "mqtt",
        "--rate",
        "5",
        MQTT_URL=broker.url_for("simulator"),
        MQTT_PROTOCOL=protocol,
        TOPIC_PREFIX=prefix,
    ) as running:
        states = await heard(broker, f"{prefix}/+/state", 3, retained=False)
        while len(states) < 3:
            states |= await heard(broker, f"{prefix}/+/state", 3)
        online = await heard(broker, f"{prefix}/+/availability", 3)
        await stops(running)
    offline = await heard(broker, f"{prefix}/+/availability", 3)
    kept = await heard(broker, f"{prefix}/+/state", 3)

    pillows = ("cloud-1", "cloud-2", "cloud-3")
    for pillow in pillows:
        payload = states[f"{prefix}/{pillow}/state"]
        update = decode_state(pillow, payload)
        assert isinstance(update, Update)
        hops = json.loads(payload)["hops"]
        assert hops.keys() == {"queued", "polled", "published"}
        assert len(set(hops.values())) == 1
        assert abs(hops["published"] - update.order[0] / 1000) < 1000
    assert online == {f"{prefix}/{pillow}/availability": b"online" for pillow in pillows}
    assert offline == {f"{prefix}/{pillow}/availability": b"offline" for pillow in pillows}
    assert len(kept) == 3


async def test_a_broker_that_goes_and_comes_back_is_waited_for(prefix: str) -> None:
    """The session says so, and the pillows are online again."""
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
        await heard(broker, f"{prefix}/+/state", 1, retained=False)
        broker.kill()
        await running.log.wait_for("broker lost", within_s=WITHIN_S)
        running.log.clear()
        await broker.start()
        await running.log.wait_for("broker ready", within_s=WITHIN_S)
        # Some may come before it listens, and be retained, and others after.
        online = await heard(broker, f"{prefix}/+/availability", 3, retained=False)
        await heard(broker, f"{prefix}/+/state", 3, retained=False)
        await stops(running)

    assert set(online.values()) == {b"online"}
    assert "sending failed" not in running.log.text, "the session has said it"


async def test_a_pillow_that_the_broker_refuses_is_said_once(prefix: str, tmp_path: Path) -> None:
    """With what to check; mosquitto's ACL here lets it say its status and nothing else."""
    need_mosquitto()
    port = ports.free()
    (tmp_path / "acl").write_text(f"pattern read #\npattern write {prefix}/bridge/#\n")
    config = tmp_path / "mosquitto.conf"
    # `user` matters where root runs the tests: another could not read this folder.
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
            why = await running.log.wait_for("refused a publish", within_s=WITHIN_S)
            await stops(running)
    finally:
        await strict.stop()

    assert f"{prefix}/cloud-" in why
    assert "MQTT_URL" in why
    assert running.log.text.count("refused a publish") == 1
    assert "never retrieved" not in running.log.text


# To standard output.


async def written(*options: str, **settings: str) -> tuple[bytes, bytes, int | None]:
    """Run the command to its end; return its output, its log, and its exit status."""
    return await run_to_end(COMMAND, *options, env=environment(**settings), within_s=WITHIN_S)


async def test_a_seed_and_a_start_give_the_same_bytes_in_every_process() -> None:
    """And they are the golden ones; nothing else is on standard output."""
    out, log, status = await written(*GOLDEN_OPTIONS, "--count", "4")
    again, _, _ = await written(*GOLDEN_OPTIONS, "--count", "4", PYTHONHASHSEED="7")

    assert status == 0
    assert out == again == b"".join(GOLDEN.read_bytes().splitlines(keepends=True)[:4])
    assert b"seed=7" in log
    assert b"simulator run day --seed 7" in log
    assert b"sent=4" in log


async def test_another_pace_gives_the_same_bytes() -> None:
    """An hour a minute, or as fast as it is read."""
    options = ("run", *GOLDEN_OPTIONS, "--count", "90")
    fast, _, _ = await written(*options, "--speed", "60")
    at_once, _, _ = await written(*options, "--speed", "max", "--print-seed")

    assert fast == at_once == GOLDEN.read_bytes()


async def test_a_seed_that_is_drawn_is_said_and_repeats_the_stream() -> None:
    """Only the wall clock differs."""

    def without_at(out: bytes) -> list[dict[str, object]]:
        return [{**json.loads(line), "at": ""} for line in out.splitlines()]

    options = ("--target", "stdout", "--rate", "50", "--pillows", "5", "--count", "100")
    out, log, _ = await written(*options, LOG_FORMAT="json")
    seed = json.loads(log.splitlines()[0])["seed"]
    again, _, _ = await written(*options, "--seed", str(seed))

    assert len(out.splitlines()) == 100
    assert without_at(out) == without_at(again)


async def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    """`simulator | head -2` is no error."""
    read, write = os.pipe()
    running = await asyncio.create_subprocess_exec(
        COMMAND,
        *("--target", "stdout", "--rate", "50"),
        stdout=write,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    os.close(write)
    # As `head` does: the end of the pipe is closed after some of what came.
    await asyncio.to_thread(os.read, read, 100)
    os.close(read)
    async with asyncio.timeout(WITHIN_S):
        _, log = await running.communicate()

    assert running.returncode == 0
    assert b"Traceback" not in log
    assert b"BrokenPipe" not in log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_reader_that_pauses_does_not_keep_it_from_stopping(number: signal.Signals) -> None:
    """The pipe is full and nobody reads; a signal still ends it in order."""
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
        await until(lambda: not _has_room(write), "the pipe is full", within_s=WITHIN_S)
        running.send_signal(number)
        async with asyncio.timeout(5):
            _, log = await running.communicate()
    finally:
        os.close(write)
        os.close(read)
        if running.returncode is None:
            running.kill()
            await running.wait()

    assert running.returncode == 0
    assert b"stopped" in log


def _has_room(pipe: int) -> bool:
    return bool(select.select([], [pipe], [], 0)[1])


async def test_standard_output_may_be_a_file(tmp_path: Path) -> None:
    """Which is not a thing one can wait for."""
    said = tmp_path / "said.jsonl"
    with said.open("wb") as file:
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

    assert said.read_bytes() == b"".join(GOLDEN.read_bytes().splitlines(keepends=True)[:3])


# Wrong usage.


async def test_every_wrong_setting_is_named_at_once() -> None:
    """Whether it came from the environment or as an option; exit status 2, nothing is sent."""
    out, log, status = await written(
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
async def test_a_wrong_option_is_wrong_usage(options: tuple[str, ...]) -> None:
    """Exit status 2, and the option in the sentence."""
    out, log, status = await written("--target", "stdout", *options)

    assert status == 2
    assert out == b""
    assert options[0].encode() in log
    assert b"Traceback" not in log


async def test_the_help_names_every_setting() -> None:
    """Each option with the variable that says the same; and examples."""
    out, _, status = await written("run", "--help", TERM="dumb", COLUMNS="200")

    assert status == 0
    for word in (b"TARGET", b"PILLOWS", b"SEED", b"RATE", b"SCENARIO"):
        assert b"SIMULATOR_" + word in out
        assert b"--" + word.lower() in out
    assert b"simulator run busy-day --seed 7 --speed 60" in out


@pytest.mark.parametrize("command", ["run", "list", "check", "record", "replay", "poke", "trace"])
async def test_every_command_has_examples(command: str) -> None:
    """In its help."""
    out, _, status = await written(command, "--help", TERM="dumb", COLUMNS="200")

    assert status == 0
    assert b"simulator " + command.encode() in out.partition(b"Examples")[2]


# Scenarios.


async def test_a_scenario_s_file_is_a_beginning(tmp_path: Path) -> None:
    """`list NAME` prints one that runs as it is."""
    text, _, _ = await written("list", "smoke")
    mine = tmp_path / "mine.toml"
    mine.write_bytes(text)
    out, _, status = await written("check", str(mine), "--dry")

    assert (status, out.split(b" is valid")[0].decode()) == (0, str(mine))


async def test_a_wrong_scenario_is_wrong_usage(tmp_path: Path) -> None:
    """Exit status 2, with the file, the place and what to write."""
    mine = tmp_path / "mine.toml"
    mine.write_text('about = "x"\n[[pillows]]\ncuont = 3\n')
    for command in ("run", "check"):
        out, log, status = await written(command, str(mine))
        assert (status, out) == (2, b"")
        assert b"mine.toml: Object contains unknown field `cuont`" in log
        assert b"at `$.pillows[0]`; did you mean 'count'?" in log
        assert b"Traceback" not in log


async def test_a_file_that_is_not_there_is_wrong_usage() -> None:
    """And so is a name that nearly is one."""
    for name, says in (("none.toml", b"is not a file"), ("smoek", b"did you mean smoke?")):
        _, log, status = await written("run", name)
        assert status == 2
        assert says in log


# Over MQTT, one by one.


async def test_a_pillow_that_loses_its_network_is_said_to_be_offline_by_the_broker(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """Its last will; and it comes back by itself, and says what it has to say."""
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'about = "x"\n[[pillows]]\ncount = 3\nevery = "200ms"\n'
        '[[faults]]\nkind = "disconnect"\npillows = "cloud-2"\nfrom = "2s"\nby = "3s"\n'
    )
    async with simulator(
        "run",
        str(mine),
        "--target",
        "mqtt",
        MQTT_URL=broker.url_for("simulator"),
        TOPIC_PREFIX=prefix,
    ) as running:
        listening = await asyncio.create_subprocess_exec(
            "mosquitto_sub",
            *("-h", ports.HOST, "-p", str(broker.port), "-F", "%p", "-C", "3"),
            *("-t", f"{prefix}/cloud-2/availability"),
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(WITHIN_S):
            said, _ = await listening.communicate()
        others = await heard(broker, f"{prefix}/+/availability", 3)
        await heard(broker, f"{prefix}/cloud-2/state", 1, retained=False)
        await stops(running)

    assert said.split() == [b"online", b"offline", b"online"]
    assert set(others.values()) == {b"online"}
    assert "Traceback" not in running.log.text


async def test_a_fleet_may_share_one_connection(broker: Broker, prefix: str) -> None:
    """Then nobody speaks of availability."""
    async with simulator(
        *("run", "--target", "mqtt", "--pillows", "30", "--connections", "10", "--rate", "5"),
        MQTT_URL=broker.url_for("simulator"),
        TOPIC_PREFIX=prefix,
    ) as running:
        topics: dict[str, bytes] = {}
        while len(topics) < 30:
            topics |= await heard(broker, f"{prefix}/#", 30)
        await stops(running)

    kinds = {topic.rpartition("/")[2] for topic in topics}
    assert kinds <= {"state", "status"}


# One message by hand.


async def test_a_poke_is_one_message(azurite: Azurite, queue_name: str) -> None:
    """As a pillow would say it, samples and all, and shown."""
    where = {
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
        "QUEUE_NAME": queue_name,
    }
    _, log, status = await written(
        "poke", "cloud-1", "hug", "--field", "room=attic", "--field", "floor=3", **where
    )
    (message,) = await received(azurite.connection_string, queue_name, 1)

    assert status == 0
    assert b"sent to queue: " in log
    said = json.loads(message.content)
    assert (said["pillow"], said["state"]) == ("cloud-1", "hugging")
    assert (said["room"], said["floor"]) == ("attic", 3)
    assert len(said["motion"]) == 32


@pytest.mark.parametrize(
    "words", [("cloud-1", "flying"), ("Cloud 1", "hug"), ("cloud-1", "hug", "--fault", "loss")]
)
async def test_a_poke_that_makes_no_sense_is_wrong_usage(words: tuple[str, ...]) -> None:
    """With what there is."""
    _, log, status = await written("poke", *words)

    assert status == 2
    assert words[-1].encode() in log or words[0].encode() in log


async def test_a_poke_that_nobody_takes_fails(queue_name: str) -> None:
    """Exit status 1, and why."""
    nobody = Azurite(ports.free())
    _, log, status = await written(
        "poke",
        "cloud-1",
        "hug",
        AZURE_STORAGE_CONNECTION_STRING=nobody.connection_string,
        QUEUE_NAME=queue_name,
    )

    assert status == 1
    assert b"not sent: no response from http://127.0.0.1:" in log


# Record and replay.


async def test_what_was_recorded_is_played_again(
    broker: Broker, azurite: Azurite, prefix: str, queue_name: str, tmp_path: Path
) -> None:
    """From MQTT to a file, from the file to a queue, renamed and twice."""
    tape = tmp_path / "tape.jsonl"
    where = {
        "MQTT_URL": broker.url_for("simulator"),
        "TOPIC_PREFIX": prefix,
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
        "QUEUE_NAME": queue_name,
    }
    async with simulator("record", str(tape), "--count", "12", **where) as recording:
        await recording.log.wait_for("broker ready", within_s=WITHIN_S)
        async with simulator("run", "--target", "mqtt", "--rate", "10", **where) as running:
            assert await ends(recording) == 0
            await stops(running)
    lines = [json.loads(line) for line in tape.read_bytes().splitlines()]
    states = [json.loads(line["body"]) for line in lines[1:] if "body" in line]
    _, _, status = await written(
        *("replay", str(tape), "--target", "queue", "--speed", "max"),
        *("--times", "2", "--rename", "cloud-1=star", "--prefix", "re-"),
        **where,
    )
    messages = await received(azurite.connection_string, queue_name, 2 * len(states))

    assert lines[0]["from"] == "mqtt"
    assert len(lines) == 13
    assert status == 0
    said = [json.loads(message.content) for message in messages]
    assert {one["pillow"] for one in said} <= {
        f"re-{name}{copy}" for name in ("star", "cloud-2", "cloud-3") for copy in ("", "-2")
    }
    assert sorted(one["confidence"] for one in said) == sorted(
        one["confidence"] for one in states for _ in range(2)
    )
    assert all("hops" not in one for one in said)


async def test_a_queue_is_recorded_without_taking_anything(
    azurite: Azurite, queue_name: str, tmp_path: Path
) -> None:
    """What waits there still waits, and nothing was hidden."""
    tape = tmp_path / "tape.jsonl"
    where = {
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
        "QUEUE_NAME": queue_name,
    }
    await written("run", "--rate", "50", "--count", "9", **where)
    _, _, status = await written("record", str(tape), "--from", "queue", "--count", "9", **where)
    messages = await received(azurite.connection_string, queue_name, 9)

    assert status == 0
    bodies = [json.loads(line)["body"] for line in tape.read_bytes().splitlines()[1:]]
    assert sorted(bodies) == sorted(message.content for message in messages)
    assert all(message.dequeue_count == 1 for message in messages)


async def test_a_recording_is_not_written_over_unasked(tmp_path: Path) -> None:
    """It may be the only one."""
    tape = tmp_path / "tape.jsonl"
    tape.write_text("precious")
    _, log, status = await written("record", str(tape))

    assert status == 2
    assert b"--force" in log
    assert tape.read_text() == "precious"


async def test_a_file_that_is_no_recording_is_wrong_usage(tmp_path: Path) -> None:
    """Before anything is sent."""
    tape = tmp_path / "tape.jsonl"
    tape.write_text("precious")
    out, log, status = await written("replay", str(tape), "--target", "stdout")

    assert (status, out) == (2, b"")
    assert b"tape.jsonl:1: not a recording" in log
