"""`poller dead-letters` as an operator runs it, on a real Azurite."""

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
from tests.queue_client import queue_client
from tests.waiting import POLL_S, until

# Each run of the command is a process, whose start takes seconds on a busy machine.
pytestmark = pytest.mark.timeout(180)

COMMAND = Path(sys.executable).parent / "poller"

WITHIN_S = 40.0
"""The timeout of every wait, for a busy machine."""

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
    """A state queue and its poison queue, and the command with their names in its settings."""

    def __init__(self, azurite: Azurite, name: str, states: QueueClient, poison: QueueClient):
        self.name, self.poison_name = name, f"{name}-poison"
        self.states, self.poison = states, poison
        self.settings = {
            "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
            "QUEUE_NAME": name,
        }

    async def add_letters(self, *texts: str) -> list[str]:
        """Put letters on the poison queue; returns their ids."""
        return [str((await self.poison.send_message(text, time_to_live=-1)).id) for text in texts]

    async def run(
        self, *words: str, script: str = "", **settings: str
    ) -> tuple[str, str, int | None]:
        """Run `poller dead-letters`; returns its output, its errors and its exit status."""
        return await run("dead-letters", *words, script=script, **{**self.settings, **settings})

    async def json(self, *words: str) -> Any:
        """Run it with --json; returns the JSON, which has to be its only output."""
        out, err, status = await self.run(*words, "--json")
        assert (status, err) == (0, "")
        return json.loads(out)


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with these settings and no other of the poller's."""
    ours = ("POLLER_", "POISON_", "AZURE_", "QUEUE_", "MQTT_", "TOPIC_", "LOG_", "INSTANCE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, **settings}


async def run(*words: str, script: str = "", **settings: str) -> tuple[str, str, int | None]:
    """Run `poller`, or a script that patches it and then runs it."""
    command: Sequence[str | Path] = [sys.executable, "-c", script] if script else [COMMAND]
    out, err, status = await run_to_end(
        *command, *words, env=environment(**settings), within_s=WITHIN_S
    )
    assert b"Traceback" not in err, err.decode()
    return out.decode(), err.decode(), status


@pytest.fixture
async def queues(azurite: Azurite, queue_name: str) -> AsyncIterator[Queues]:
    """Both queues, created and empty."""
    async with (
        queue_client(azurite.connection_string, queue_name) as states,
        queue_client(azurite.connection_string, f"{queue_name}-poison") as poison,
    ):
        await states.create_queue()
        await poison.create_queue()
        yield Queues(azurite, queue_name, states, poison)


async def visible(queue: QueueClient) -> list[QueueMessage]:
    """Every message that is not leased, in no order; they are leased from then on."""
    found: list[QueueMessage] = []
    pages = queue.receive_messages(messages_per_page=32, visibility_timeout=600).by_page()
    async for page in pages:
        found += [message async for message in page]
    return found


async def texts(queue: QueueClient) -> list[str]:
    """The texts of every message that is not leased, sorted."""
    return sorted(message.content for message in await visible(queue))


def names(folder: Path) -> list[str]:
    """The names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


# list and show


async def test_list_leases_no_letter_and_reports_on_each(queues: Queues) -> None:
    """The dequeue count of a letter does not rise."""
    ids = await queues.add_letters("WALTZING", "hug")
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


async def test_a_list_fits_80_columns_and_has_no_control_characters(queues: Queues) -> None:
    """It has two lines a letter, and the number of letters."""
    ids = await queues.add_letters(*ODD_TEXTS)
    out, err, status = await queues.run("list")

    assert (status, err) == (0, "")
    lines = out.split("\n")[:-1]
    assert len(lines) == 2 * len(ODD_TEXTS) + 2
    assert [line[:36] for line in lines[1:-1:2]] == ids
    assert lines[-1] == f"{len(ids)} in {queues.poison_name}."
    for line in lines:
        assert line.isprintable()
        assert cell_len(line) <= 80


async def test_list_shows_32_letters_and_with_all_every_one(queues: Queues) -> None:
    """`--all` leases the letters, and releases each at its end."""
    given = [f"letter {n}" for n in range(70)]
    await queues.add_letters(*given)

    first = await queues.json("list")
    assert (first["total"], len(first["letters"]), first["complete"]) == (70, 32, False)
    out, _, _ = await queues.run("list")
    assert "The first 32 of about 70" in out
    assert "--all" in out

    whole = await queues.json("list", "--all")
    assert (whole["total"], len(whole["letters"]), whole["complete"]) == (70, 70, True)
    assert sorted(letter["text"] for letter in whole["letters"]) == sorted(given)
    assert await texts(queues.poison) == sorted(given), "all were released"


async def test_list_says_how_many_letters_are_leased_by_another_consumer(queues: Queues) -> None:
    """They cannot be shown, and are still in the queue."""
    await queues.add_letters("a", "b", "c")
    async for _ in queues.poison.receive_messages(visibility_timeout=600, max_messages=1):
        break
    out, _, status = await queues.run("list")

    assert status == 0
    assert f"2 of about 3 in {queues.poison_name}; the others are hidden" in out


async def test_an_empty_queue_and_a_missing_queue_have_different_messages(queues: Queues) -> None:
    """A missing queue may be a wrong name, so it is not created."""
    out, _, status = await queues.run("list")
    assert (out, status) == (f"No dead letters in {queues.poison_name}.\n", 0)

    await queues.poison.delete_queue()
    for words in (["list", "--json"], ["show", "x"], ["replay", "--all"], ["delete", "x"]):
        out, err, status = await queues.run(*words)
        assert (out, status) == ("", 1)
        assert f"there is no queue {queues.poison_name};" in err
        assert "POISON_QUEUE_NAME" in err


async def test_a_deleted_letter_is_gone_and_the_others_stay(queues: Queues) -> None:
    """Also one behind the first 32; the state queue gets nothing."""
    *others, last = await queues.add_letters(*[f"letter {n}" for n in range(34)])
    result = await queues.json("delete", last, others[0])

    assert sorted(result["deleted"]) == sorted([last, others[0]])
    assert {message.id for message in await visible(queues.poison)} == set(others[1:])
    assert await visible(queues.states) == []


async def test_show_finds_a_letter_behind_the_first_32(queues: Queues) -> None:
    """It leases letters for that, and releases them."""
    *_, last = await queues.add_letters(*[f"letter {n}" for n in range(40)])
    shown = await queues.json("show", last)

    assert (shown["id"], shown["text"]) == (last, "letter 39")
    assert len(await visible(queues.poison)) == 40


async def test_show_escapes_unprintable_characters_and_decodes_base64(queues: Queues) -> None:
    """A letter cannot send control characters to the terminal."""
    ids = await queues.add_letters(*ODD_TEXTS)
    out, _, status = await queues.run("show", ids[2])
    assert status == 0
    assert "| two\n| lines\\r\n| \\tand  a tab \n" in out
    out, _, _ = await queues.run("show", ids[4])
    assert out.endswith("decoded from Base64\n| \\x1b]0;owned\\x07 \\x00 hello\n")
    assert out.replace("\n", "").isprintable()


async def test_a_missing_letter_is_named_on_standard_error(queues: Queues) -> None:
    """The exit status is 1."""
    out, err, status = await queues.run("show", "no\x1bsuch")

    assert (out, status) == ("", 1)
    assert f"not found in {queues.poison_name}: no\\x1bsuch;" in err


# replay


async def test_replay_moves_every_text_unchanged_and_without_expiry(queues: Queues) -> None:
    """Emoji, control characters, 64 KiB."""
    ids = await queues.add_letters(*ODD_TEXTS)
    result = await queues.json("replay", "--all")

    assert sorted(result["replayed"]) == sorted(ids)
    assert (result["failed"], result["not_found"]) == ({}, [])
    back = await visible(queues.states)
    assert sorted(message.content for message in back) == sorted(ODD_TEXTS)
    assert {message.expires_on.year for message in back if message.expires_on} == {9999}
    assert await visible(queues.poison) == []


async def test_replay_moves_only_the_named_letters(queues: Queues) -> None:
    """The message names a missing one, and the exit status is 1."""
    await queues.add_letters(*[f"letter {n}" for n in range(33)])
    (wanted,) = await queues.add_letters("hug")
    out, err, status = await queues.run("replay", wanted, "no-such")

    assert status == 1
    assert out == f"1 of 2 put back on {queues.name}.\n"
    assert f"not found in {queues.poison_name}: no-such;" in err
    assert "Of these, carry no time and get the time of the replay: 1" in err
    assert await texts(queues.states) == ["hug"]
    assert len(await visible(queues.poison)) == 33


async def test_replay_creates_no_state_queue(queues: Queues) -> None:
    """With a wrong QUEUE_NAME it would be a queue that no poller reads."""
    given = [f"letter {n}" for n in range(12)]
    await queues.add_letters(*given)
    out, err, status = await queues.run(
        "replay", "--all", QUEUE_NAME="wrong-name", POISON_QUEUE_NAME=queues.poison_name
    )

    assert status == 1
    assert out == "0 of about 12 put back on wrong-name, 12 failed.\n"
    assert err.count("not put back: there is no queue wrong-name") == 1
    assert "and 4 more" in err
    assert await texts(queues.poison) == sorted(given), "all were released"


_KILLED_BETWEEN = """
import os, signal
from poller import __main__
from poller.settle import redrive
from poller.azure import poison_queue
left = iter(range({deletions}))
delete = poison_queue.AzurePoisonQueue.delete
async def delete_or_die(self, letter):
    if next(left, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
    return await delete(self, letter)
poison_queue.AzurePoisonQueue.delete = delete_or_die
redrive.scan_lease_s = lambda count: 10
__main__.main()
"""


@pytest.mark.parametrize("deletions", [0, 5, 33])
async def test_a_killed_replay_loses_no_letter(queues: Queues, deletions: int) -> None:
    """A letter that was copied and not yet deleted is in both queues."""
    given = [f"letter {n}" for n in range(40)]
    await queues.add_letters(*given)
    _, _, status = await queues.run(
        "replay", "--all", script=_KILLED_BETWEEN.format(deletions=deletions)
    )
    assert status == -9

    back = Counter(await texts(queues.states))
    assert deletions < back.total() <= deletions + 16
    kept: Counter[str] = Counter()
    async with asyncio.timeout(WITHIN_S):
        while not set(given) <= set(back) | set(kept):
            # The letters that it had received are hidden until their leases end.
            kept += Counter(message.content for message in await visible(queues.poison))
            await asyncio.sleep(POLL_S)
    assert set(back) | set(kept) == set(given)
    assert len(set(back) & set(kept)) <= 16
    assert set((back + kept).values()) <= {1, 2}


_INTERRUPTED = """
import os, signal
from poller import __main__
from poller.azure import poison_queue
count = iter(range(1, 10**6))
requeue = poison_queue.AzurePoisonQueue.requeue
async def requeue_and_interrupt(self, letter):
    await requeue(self, letter)
    if next(count) == {sends}:
        os.kill(os.getpid(), signal.SIGINT)
poison_queue.AzurePoisonQueue.requeue = requeue_and_interrupt
__main__.main()
"""


async def test_an_interrupted_replay_finishes_its_letters_and_releases_the_others(
    queues: Queues,
) -> None:
    """Every letter is in one queue only, visible at once; the exit status is 1."""
    given = [f"letter {n}" for n in range(60)]
    await queues.add_letters(*given)
    out, err, status = await queues.run(
        "replay", "--all", "--json", script=_INTERRUPTED.format(sends=35)
    )

    assert status == 1
    assert "Stopped before the end; nothing is lost." in err
    back, kept = await texts(queues.states), await texts(queues.poison)
    assert sorted(back + kept) == sorted(given)
    assert len(json.loads(out)["replayed"]) == len(back) < 60


async def test_letters_that_a_poller_dead_letters_again_are_replayed_once(
    queues: Queues, broker: Broker, prefix: str
) -> None:
    """Each gets a new id, which the poller's log names."""
    given = [f"waltz {n}" for n in range(40)]
    ids = await queues.add_letters(*given)
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
        result = await queues.json("replay", "--all")
        assert sorted(result["replayed"]) == sorted(ids)
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
    new_ids = {letter["id"] for letter in listed}
    assert not new_ids & set(ids)
    logged = [json.loads(line) for line in poller.log.lines if "kept in the poison queue" in line]
    assert {line["letter"] for line in logged} == new_ids
    assert await texts(queues.states) == []


# export


async def test_export_writes_every_letter_and_leaves_it_in_the_queue(
    queues: Queues, tmp_path: Path
) -> None:
    """One JSON object a line; --force replaces an existing file."""
    given = [*ODD_TEXTS, *(f"letter {n}" for n in range(40))]
    ids = await queues.add_letters(*given)
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


async def test_export_to_standard_output_writes_letters_only(queues: Queues) -> None:
    """Their number goes to standard error."""
    await queues.add_letters("a", "b\nc")
    out, err, status = await queues.run("export", "-")

    assert (err, status) == ("2 written.\n", 0)
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["a", "b\nc"]


async def test_export_into_a_closed_pipe_is_silent_and_releases_the_letters(
    queues: Queues,
) -> None:
    """As in `poller dead-letters export - | head -1`."""
    await queues.add_letters(*["x" * 20_000 for _ in range(70)])
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


async def test_a_file_that_cannot_be_written_is_reported(queues: Queues, tmp_path: Path) -> None:
    """With the system's reason."""
    await queues.add_letters("a")
    _, err, status = await queues.run("export", str(tmp_path / "no" / "folder"))
    assert status == 1
    assert "cannot be written: No such file or directory" in err


# On a terminal


@asynccontextmanager
async def terminal(
    queues: Queues, *words: str, answer: bytes
) -> AsyncIterator[asyncio.Task[bytes]]:
    """Run it on a terminal for standard input and error; yields a task of the terminal's output."""
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
        output = b""
        while True:
            try:
                output += await asyncio.to_thread(os.read, ours, 65_536)
            except OSError:  # Linux raises it when the other side is closed
                break
        async with asyncio.timeout(WITHIN_S):
            await running.wait()
        return output

    try:
        yield asyncio.create_task(shown())
    finally:
        os.close(ours)
        if running.returncode is None:
            running.kill()
            await running.wait()


async def test_replay_all_asks_on_a_terminal(queues: Queues) -> None:
    """With the number of letters and a forecast; a no changes nothing."""
    given = [f"letter {n}" for n in range(3)]
    await queues.add_letters(*given)
    async with terminal(queues, "replay", "--all", answer=b"n\n") as showing:
        shown = await showing

    assert b"Put about 3 back on the queue?" in shown
    assert b"become dead letters again: 3" in shown
    assert await texts(queues.states) == []
    assert await texts(queues.poison) == given


async def test_a_replay_of_more_than_one_page_shows_its_progress_on_a_terminal(
    queues: Queues,
) -> None:
    """With `--yes` it asks nothing."""
    await queues.add_letters(*[f"letter {n}" for n in range(70)])
    async with terminal(queues, "replay", "--all", "--yes", answer=b"") as showing:
        shown = await showing

    assert b"Put about" not in shown
    assert b"replaying" in shown
    assert b"70/70" in shown
    assert len(await visible(queues.states)) == 70


# Errors


async def test_wrong_settings_are_named_with_exit_status_2() -> None:
    """The message contains no secret."""
    _, err, status = await run("dead-letters", "list", QUEUE_NAME="X", POLLER_MAX_ATTEMPTS="0")
    assert status == 2
    assert "QUEUE_NAME = 'X'" in err
    assert "POLLER_MAX_ATTEMPTS = '0'" in err

    _, err, status = await run("dead-letters", "list", AZURE_STORAGE_CONNECTION_STRING="hunter2")
    assert status == 2
    assert "AZURE_STORAGE_CONNECTION_STRING (value not shown): is not of the form" in err
    assert "hunter2" not in err


@pytest.mark.parametrize(
    ("part", "replacement", "message"),
    [
        ("AccountKey=Eby8", "AccountKey=0000", "does not accept the credential"),
        ("devstoreaccount1", "nobody", "there is no such account"),
        ("{port}", "{free}", "Cannot connect to host 127.0.0.1:{free}"),
    ],
)
async def test_an_error_of_the_queue_service_names_the_setting_to_check(
    azurite: Azurite, queues: Queues, part: str, replacement: str, message: str
) -> None:
    """Exit status 1, and nothing on standard output that a script could misread."""
    names = {"port": azurite.port, "free": ports.free()}
    secret = azurite.connection_string.replace(part.format(**names), replacement.format(**names))
    out, err, status = await queues.run("list", "--json", AZURE_STORAGE_CONNECTION_STRING=secret)

    assert (out, status) == ("", 1)
    assert message.format(**names) in err
    assert "0000" not in err


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("service", {"typer", "rich.progress", "poller.commands.context"}),
        ("commands.cli", {"paho", "starlette", "uvicorn", "poller.service"}),
    ],
)
async def test_service_and_commands_do_not_import_what_only_the_other_needs(
    module: str, unwanted: set[str]
) -> None:
    """Each starts faster without it."""
    out, _, status = await run(
        script=f"import sys, poller.__main__, poller.{module}; print({unwanted} & set(sys.modules))"
    )

    assert (out, status) == ("set()\n", 0)
