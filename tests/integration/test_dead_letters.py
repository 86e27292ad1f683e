"""`poller dead-letters` as an operator runs it: the command, against real Azurite."""

import asyncio
import base64
import json
import os
import pty
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient
from rich.cells import cell_len

from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from devstack.processes import Program
from tests.commands import run_to_end
from tests.waiting import POLL_S, until

# Each run of the command is a process of its own, and on a busy machine that takes seconds.
pytestmark = pytest.mark.timeout(180)

COMMAND = Path(sys.executable).parent / "poller"

WITHIN_S = 40.0
"""How long anything here may take on a busy machine."""

ODD_TEXTS = [
    "☁ 雲 🌥️ 👨‍👩‍👧",
    "\x9b31mred\x9b0m \x7f \u202egnp.exe",
    "two\nlines\r\n\tand  a tab ",
    " <b>&amp;</b> ]]> \\x1b [bold]x[/bold] :smile: {}",
    base64.b64encode(b"\x1b]0;owned\x07 \x00 hello").decode(),
    "",
    "x" * 65_536,
    "雲" * 21_000,
    "('WALTZING', 'HUGGING')",
]


class Queues:
    """A state queue and its poison queue, and the command that looks at them."""

    def __init__(self, azurite: Azurite, name: str, states: QueueClient, poison: QueueClient):
        self.name, self.poison_name = name, f"{name}-poison"
        self.states, self.poison = states, poison
        self.settings = {
            "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
            "QUEUE_NAME": name,
        }

    async def bury(self, *texts: str) -> list[str]:
        """Put letters in the poison queue; returns their ids."""
        return [str((await self.poison.send_message(text, time_to_live=-1)).id) for text in texts]

    async def run(
        self, *words: str, script: str = "", **settings: str
    ) -> tuple[str, str, int | None]:
        """Run `poller dead-letters` to its end; returns its output, its errors, its status."""
        return await run("dead-letters", *words, script=script, **{**self.settings, **settings})

    async def json(self, *words: str) -> Any:
        """Run it, to succeed, and return the JSON that is all it writes."""
        out, err, status = await self.run(*words, "--json")
        assert (status, err) == (0, "")
        return json.loads(out)


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without any setting of ours, and what is given."""
    ours = ("POLLER_", "POISON_", "AZURE_", "QUEUE_", "MQTT_", "TOPIC_", "LOG_", "INSTANCE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, **settings}


async def run(*words: str, script: str = "", **settings: str) -> tuple[str, str, int | None]:
    """Run `poller`, or a script that changes something in it and then runs it."""
    command: Sequence[str | Path] = [sys.executable, "-c", script] if script else [COMMAND]
    out, err, status = await run_to_end(
        *command, *words, env=environment(**settings), within_s=WITHIN_S
    )
    assert b"Traceback" not in err, err.decode()
    return out.decode(), err.decode(), status


@pytest.fixture
async def queues(azurite: Azurite, queue_name: str) -> AsyncIterator[Queues]:
    """Both queues, empty."""
    async with (
        client(azurite, queue_name) as states,
        client(azurite, f"{queue_name}-poison") as poison,
    ):
        await states.create_queue()
        await poison.create_queue()
        yield Queues(azurite, queue_name, states, poison)


def client(azurite: Azurite, name: str) -> QueueClient:
    """A client of one queue."""
    return QueueClient.from_connection_string(
        azurite.connection_string,
        name,
        api_version="2025-11-05",
        retry_total=0,
        use_env_settings=False,
    )


async def visible(queue: QueueClient) -> list[QueueMessage]:
    """Every message that nobody has received, in no order; they are hidden from then on."""
    found: list[QueueMessage] = []
    pages = queue.receive_messages(messages_per_page=32, visibility_timeout=600).by_page()
    async for page in pages:
        found += [message async for message in page]
    return found


async def texts(queue: QueueClient) -> list[str]:
    """The texts of every message that nobody has received, sorted."""
    return sorted(message.content for message in await visible(queue))


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


# list and show


async def test_a_list_hides_no_letter_and_counts_as_no_read(queues: Queues) -> None:
    """It says what is known of each."""
    ids = await queues.bury("WALTZING", "hug")
    listed = await queues.json("list")

    assert [letter["id"] for letter in listed["letters"]] == ids
    assert [letter["reason"] for letter in listed["letters"]] == [
        "unknown-state",
        "too-many-attempts",
    ]
    assert [letter["attempts_at_least"] for letter in listed["letters"]] == [1, 6]
    assert (listed["queue"], listed["total"], listed["complete"]) == (queues.poison_name, 2, True)
    for letter in listed["letters"]:
        assert 0 <= letter["age_s"] < WITHIN_S
    assert [message.dequeue_count for message in await visible(queues.poison)] == [1, 1]


async def test_a_list_fits_80_columns_and_shows_no_control_characters(queues: Queues) -> None:
    """Whatever the texts: two lines a letter, and how many there are."""
    ids = await queues.bury(*ODD_TEXTS)
    out, err, status = await queues.run("list")

    assert (status, err) == (0, "")
    lines = out.split("\n")[:-1]
    assert len(lines) == 2 * len(ODD_TEXTS) + 2
    assert [line[:36] for line in lines[1:-1:2]] == ids
    assert lines[-1] == f"{len(ids)} in {queues.poison_name}."
    for line in lines:
        assert line.isprintable()
        assert cell_len(line) <= 80


async def test_more_letters_than_a_look_shows_are_said_and_all_can_be_listed(
    queues: Queues,
) -> None:
    """`--all` has to receive them, and lets each go when it is done."""
    given = [f"letter {n}" for n in range(70)]
    await queues.bury(*given)

    first = await queues.json("list")
    assert (first["total"], len(first["letters"]), first["complete"]) == (70, 32, False)
    out, _, _ = await queues.run("list")
    assert "The first 32 of about 70" in out
    assert "--all" in out

    whole = await queues.json("list", "--all")
    assert (whole["total"], len(whole["letters"]), whole["complete"]) == (70, 70, True)
    assert sorted(letter["text"] for letter in whole["letters"]) == sorted(given)
    assert await texts(queues.poison) == sorted(given), "none is hidden afterwards"


async def test_letters_that_somebody_has_received_are_missed_aloud(queues: Queues) -> None:
    """They are not there to be looked at, and still in the queue."""
    await queues.bury("a", "b", "c")
    async for _ in queues.poison.receive_messages(visibility_timeout=600, max_messages=1):
        break
    out, _, status = await queues.run("list")

    assert status == 0
    assert f"2 of about 3 in {queues.poison_name}; the others are hidden" in out


async def test_no_letters_and_no_queue_are_told_apart(queues: Queues) -> None:
    """A queue that is not there may be a wrong name; it is not made."""
    out, _, status = await queues.run("list")
    assert (out, status) == (f"No dead letters in {queues.poison_name}.\n", 0)

    await queues.poison.delete_queue()
    out, _, status = await queues.run("list")
    assert (out, status) == (f"No dead letters: there is no queue {queues.poison_name}.\n", 0)
    out, _, status = await queues.run("replay", "--all", "--json")
    assert (json.loads(out), status) == ({"replayed": [], "failed": {}, "not_found": []}, 0)


async def test_a_letter_behind_the_first_32_is_found_and_hides_none(queues: Queues) -> None:
    """Which takes leases; they are given up."""
    *_, last = await queues.bury(*[f"letter {n}" for n in range(40)])
    shown = await queues.json("show", last)

    assert (shown["id"], shown["text"]) == (last, "letter 39")
    assert len(await visible(queues.poison)) == 40


async def test_a_letter_is_shown_word_for_word_and_harms_no_terminal(queues: Queues) -> None:
    """What a person sees is escaped, and Base64 is also unpacked."""
    ids = await queues.bury(*ODD_TEXTS)
    out, _, status = await queues.run("show", ids[2])
    assert status == 0
    assert "| two\n| lines\\r\n| \\tand  a tab \n" in out
    out, _, _ = await queues.run("show", ids[4])
    assert out.endswith("which says, as Base64\n| \\x1b]0;owned\\x07 \\x00 hello\n")
    assert out.replace("\n", "").isprintable()


async def test_a_letter_that_is_not_there_is_not_found(queues: Queues) -> None:
    """Said on standard error, with its id."""
    out, err, status = await queues.run("show", "no\x1bsuch")

    assert (out, status) == ("", 1)
    assert f"not found in {queues.poison_name}: no\\x1bsuch;" in err


# replay


async def test_odd_texts_come_back_word_for_word(queues: Queues) -> None:
    """Emoji, control characters, 64 KiB: on the state queue as they were, and kept for ever."""
    ids = await queues.bury(*ODD_TEXTS)
    told = await queues.json("replay", "--all")

    assert sorted(told["replayed"]) == sorted(ids)
    assert (told["failed"], told["not_found"]) == ({}, [])
    back = await visible(queues.states)
    assert sorted(message.content for message in back) == sorted(ODD_TEXTS)
    assert {message.expires_on.year for message in back if message.expires_on} == {9999}
    assert await visible(queues.poison) == []


async def test_only_the_letter_that_is_named_is_replayed(queues: Queues) -> None:
    """One that is not there is named, and makes the exit status 1."""
    await queues.bury(*[f"letter {n}" for n in range(33)])
    (wanted,) = await queues.bury("hug")
    out, err, status = await queues.run("replay", wanted, "no-such")

    assert status == 1
    assert out == f"1 of 2 put back on {queues.name}.\n"
    assert f"not found in {queues.poison_name}: no-such;" in err
    assert "Of these, without a time of their own and so counting as said now: 1" in err
    assert await texts(queues.states) == ["hug"]
    assert len(await visible(queues.poison)) == 33


async def test_without_a_state_queue_nothing_is_replayed(queues: Queues) -> None:
    """A wrong QUEUE_NAME must not make a queue that no poller reads."""
    given = [f"letter {n}" for n in range(12)]
    await queues.bury(*given)
    out, err, status = await queues.run(
        "replay", "--all", QUEUE_NAME="wrong-name", POISON_QUEUE_NAME=queues.poison_name
    )

    assert status == 1
    assert out == "0 of about 12 put back on wrong-name, 12 failed.\n"
    assert err.count("not put back: there is no queue wrong-name") == 1
    assert "and 4 more" in err
    assert await texts(queues.poison) == sorted(given), "none is hidden"


_KILLED_BETWEEN = """
import os, signal
from poller import __main__
from poller.settle import redrive
from poller.azure import poison
left = iter(range({deletions}))
delete = poison.AzurePoisonQueue.delete
async def delete_or_die(self, letter):
    if next(left, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
    return await delete(self, letter)
poison.AzurePoisonQueue.delete = delete_or_die
redrive.lease_s = lambda count: 2
__main__.main()
"""


@pytest.mark.parametrize("deletions", [0, 5, 33])
async def test_one_that_is_killed_between_its_steps_loses_nothing(
    queues: Queues, deletions: int
) -> None:
    """What was put back and not yet taken out is in both queues, and the next replay ends it."""
    given = [f"letter {n}" for n in range(40)]
    await queues.bury(*given)
    _, _, status = await queues.run(
        "replay", "--all", script=_KILLED_BETWEEN.format(deletions=deletions)
    )
    assert status == -9

    back = Counter(await texts(queues.states))
    assert deletions < back.total() <= deletions + 16
    kept: Counter[str] = Counter()
    async with asyncio.timeout(WITHIN_S):
        while not set(given) <= set(back) | set(kept):
            # What it had received is hidden until its lease is over.
            kept += Counter(message.content for message in await visible(queues.poison))
            await asyncio.sleep(POLL_S)
    assert set(back) | set(kept) == set(given)
    assert len(set(back) & set(kept)) <= 16
    assert set((back + kept).values()) <= {1, 2}


_INTERRUPTED = """
import os, signal
from poller import __main__
from poller.azure import poison
count = iter(range(1, 10**6))
put_back = poison.AzurePoisonQueue.put_back
async def put_back_and_interrupt(self, letter):
    await put_back(self, letter)
    if next(count) == {sends}:
        os.kill(os.getpid(), signal.SIGINT)
poison.AzurePoisonQueue.put_back = put_back_and_interrupt
__main__.main()
"""


async def test_one_that_is_interrupted_finishes_its_letters_and_hides_none(queues: Queues) -> None:
    """Every letter is in exactly one queue, at once; the exit status says that it is not all."""
    given = [f"letter {n}" for n in range(60)]
    await queues.bury(*given)
    out, err, status = await queues.run(
        "replay", "--all", "--json", script=_INTERRUPTED.format(sends=35)
    )

    assert status == 1
    assert "Stopped before the end; nothing is lost." in err
    back, kept = await texts(queues.states), await texts(queues.poison)
    assert sorted(back + kept) == sorted(given)
    assert len(json.loads(out)["replayed"]) == len(back) < 60


async def test_a_poller_that_buries_them_again_is_not_chased(
    queues: Queues, broker: Broker, prefix: str
) -> None:
    """Each letter is replayed once, comes back under a new id, and the log says which."""
    given = [f"waltz {n}" for n in range(40)]
    ids = await queues.bury(*given)
    poller = Program(
        "poller",
        [
            "env",
            "-i",
            *(
                f"{name}={value}"
                for name, value in environment(
                    **queues.settings,
                    MQTT_URL=broker.url_for("poller"),
                    TOPIC_PREFIX=prefix,
                    POLLER_PORT="0",
                    POLLER_POLL_MAX="0.1",
                    LOG_FORMAT="json",
                ).items()
            ),
            COMMAND,
        ],
    )
    await poller.spawn()
    try:
        await poller.log.wait_for("queue ready", within_s=WITHIN_S)
        told = await queues.json("replay", "--all")
        assert sorted(told["replayed"]) == sorted(ids)
        await until(
            lambda: sum("kept in the poison queue" in line for line in poller.log.lines) == 40,
            "all are dead letters again",
            within_s=WITHIN_S,
        )
        listed = (await queues.json("list", "--all"))["letters"]
        poller.terminate()
        async with asyncio.timeout(WITHIN_S):
            assert await poller.wait() == 0
    finally:
        poller.kill()
        await poller.wait()

    assert sorted(letter["text"] for letter in listed) == sorted(given)
    buried = {letter["id"] for letter in listed}
    assert not buried & set(ids)
    said = [json.loads(line) for line in poller.log.lines if "kept in the poison queue" in line]
    assert {line["letter"] for line in said} == buried
    assert await texts(queues.states) == []


# export


async def test_an_export_is_whole_and_leaves_the_letters(queues: Queues, tmp_path: Path) -> None:
    """One JSON object a line, with what a list says; a second one replaces it when told to."""
    given = [*ODD_TEXTS, *(f"letter {n}" for n in range(40))]
    ids = await queues.bury(*given)
    file = tmp_path / "letters.jsonl"
    out, err, status = await queues.run("export", str(file))

    assert (out, err, status) == (f"{len(given)} written to {file}.\n", "", 0)
    written = [json.loads(line) for line in file.read_text().splitlines()]
    assert {line["id"]: line["text"] for line in written} == dict(zip(ids, given, strict=True))
    for line in written:
        assert {"reason", "inserted", "age_s"} <= line.keys()

    assert (await queues.json("export", str(file), "--force"))["letters"] == len(given)
    assert names(tmp_path) == [file.name]
    assert await texts(queues.poison) == sorted(given)


async def test_an_export_to_standard_output_is_lines_and_nothing_else(queues: Queues) -> None:
    """How many there were is said on standard error."""
    await queues.bury("a", "b\nc")
    out, err, status = await queues.run("export", "-")

    assert (err, status) == ("2 written.\n", 0)
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["a", "b\nc"]


async def test_a_reader_that_has_enough_ends_it_quietly_and_hides_none(queues: Queues) -> None:
    """`poller dead-letters export - | head -1` is no error."""
    await queues.bury(*["x" * 20_000 for _ in range(70)])
    read, write = os.pipe()
    running = await asyncio.create_subprocess_exec(
        COMMAND,
        *("dead-letters", "export", "-"),
        stdout=write,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**queues.settings),
    )
    os.close(write)
    await asyncio.to_thread(os.read, read, 100)
    os.close(read)
    async with asyncio.timeout(WITHIN_S):
        _, err = await running.communicate()

    assert running.returncode == 1
    assert err == b""
    assert len(await visible(queues.poison)) == 70


async def test_a_file_that_cannot_be_written_is_said(queues: Queues, tmp_path: Path) -> None:
    """With what the system says."""
    await queues.bury("a")
    _, err, status = await queues.run("export", str(tmp_path / "no" / "folder"))
    assert status == 1
    assert "cannot be written: No such file or directory" in err


# On a terminal


@asynccontextmanager
async def terminal(
    queues: Queues, *words: str, answer: bytes
) -> AsyncIterator[asyncio.Task[bytes]]:
    """Run it where standard input and error are a terminal; yields what that will have shown."""
    ours, its = pty.openpty()
    running = await asyncio.create_subprocess_exec(
        COMMAND,
        "dead-letters",
        *words,
        stdin=its,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=its,
        env=environment(**queues.settings, TERM="xterm"),
    )
    os.close(its)
    os.write(ours, answer)

    async def shown() -> bytes:
        said = b""
        while True:
            try:
                said += await asyncio.to_thread(os.read, ours, 65_536)
            except OSError:  # how Linux says that nobody is left on the other side
                break
        async with asyncio.timeout(WITHIN_S):
            await running.wait()
        return said

    try:
        yield asyncio.create_task(shown())
    finally:
        os.close(ours)
        if running.returncode is None:
            running.kill()
            await running.wait()


async def test_a_person_is_asked_before_all_are_replayed(queues: Queues) -> None:
    """With how many, and what to expect; a no leaves everything as it is."""
    given = [f"letter {n}" for n in range(3)]
    await queues.bury(*given)
    async with terminal(queues, "replay", "--all", answer=b"n\n") as showing:
        shown = await showing

    assert b"Put about 3 back on the queue?" in shown
    assert b"coming back as dead letters: 3" in shown
    assert await texts(queues.states) == []
    assert await texts(queues.poison) == given


async def test_a_long_replay_shows_how_far_it_is(queues: Queues) -> None:
    """On a terminal, and only there; `--yes` asks nothing."""
    await queues.bury(*[f"letter {n}" for n in range(70)])
    async with terminal(queues, "replay", "--all", "--yes", answer=b"") as showing:
        shown = await showing

    assert b"Put about" not in shown
    assert b"replaying" in shown
    assert b"70/70" in shown
    assert len(await visible(queues.states)) == 70


# Wrong settings, a queue in trouble


async def test_the_settings_are_the_pollers_and_wrong_ones_are_named() -> None:
    """Exit status 2, and no secret in the sentence."""
    _, err, status = await run("dead-letters", "list", QUEUE_NAME="X", POLLER_MAX_ATTEMPTS="0")
    assert status == 2
    assert "QUEUE_NAME = 'X'" in err
    assert "POLLER_MAX_ATTEMPTS = '0'" in err

    _, err, status = await run("dead-letters", "list", AZURE_STORAGE_CONNECTION_STRING="hunter2")
    assert status == 2
    assert "AZURE_STORAGE_CONNECTION_STRING cannot be used" in err
    assert "hunter2" not in err


@pytest.mark.parametrize(
    ("was", "is_now", "says"),
    [
        ("AccountKey=Eby8", "AccountKey=0000", "does not accept the credential"),
        ("devstoreaccount1", "nobody", "there is no such account"),
        ("{port}", "{free}", "Cannot connect to host 127.0.0.1:{free}"),
    ],
)
async def test_a_queue_in_trouble_is_a_sentence(
    azurite: Azurite, queues: Queues, was: str, is_now: str, says: str
) -> None:
    """With the setting to look at; exit status 1, and nothing for a script to misread."""
    names = {"port": azurite.port, "free": ports.free()}
    secret = azurite.connection_string.replace(was.format(**names), is_now.format(**names))
    out, err, status = await queues.run("list", "--json", AZURE_STORAGE_CONNECTION_STRING=secret)

    assert (out, status) == ("", 1)
    assert says.format(**names) in err
    assert "0000" not in err


@pytest.mark.parametrize(
    ("part", "others"),
    [
        ("service", {"typer", "rich.progress", "poller.commands.context"}),
        ("tool.commands", {"aiomqtt", "starlette", "uvicorn", "poller.service"}),
    ],
)
async def test_service_and_tool_load_nothing_that_only_the_other_needs(
    part: str, others: set[str]
) -> None:
    """Neither starts later for the other."""
    out, _, status = await run(
        script=f"import sys, poller.__main__, poller.{part}; print({others} & set(sys.modules))"
    )

    assert (out, status) == ("set()\n", 0)
