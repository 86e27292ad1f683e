"""The dead-letter commands on a queue in memory: output, exit status and effect."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from poller.commands.context import CommandContext
from poller.commands.delete import delete_letters
from poller.commands.export import export_to_file, export_to_stdout
from poller.commands.list_and_show import list_letters, show_letter
from poller.commands.replay import replay_some
from poller.settings import PollerSettings
from tests.fakes.poison_queue import FakePoisonQueue, Fault

Context = Callable[[FakePoisonQueue], CommandContext]


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> Context:
    """A context with default settings for a queue."""
    for field in PollerSettings.model_fields.values():
        monkeypatch.delenv(field.alias or "", raising=False)
    return lambda queue: CommandContext(PollerSettings.load(), queue, asyncio.Event())


def texts_of(count: int) -> list[str]:
    """Texts that cannot be decoded."""
    return [f"waltz {n}" for n in range(count)]


def json_of(capsys: pytest.CaptureFixture[str]) -> Any:
    """The JSON on standard output, which has to be its only content."""
    return json.loads(capsys.readouterr().out)


def names_in(folder: Path) -> list[str]:
    """The names of the files in a folder."""
    return [path.name for path in folder.iterdir()]


async def test_list_leases_nothing_and_reports_the_first_32_of_40(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line says how to list the others."""
    queue = FakePoisonQueue(texts_of(40))
    assert await list_letters(context(queue), all_=False, json=False) == 0

    out = capsys.readouterr().out
    assert out.count("waltz") == 32
    assert "The first 32 of about 40 in pillow-state-poison; --all lists every one." in out
    assert queue.calls["receive"] == 0


async def test_list_all_as_json_reports_every_letter_and_releases_it(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    """The document says that it is complete."""
    queue = FakePoisonQueue(texts_of(40))
    assert await list_letters(context(queue), all_=True, json=True) == 0

    document = json_of(capsys)
    assert (document["total"], document["complete"]) == (40, True)
    assert sorted(one["text"] for one in document["letters"]) == sorted(texts_of(40))
    assert queue.hidden == set()


async def test_leased_letters_are_counted_and_not_shown(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are hidden while another consumer has them."""
    queue = FakePoisonQueue(texts_of(3))
    queue.hidden.add("m1")
    assert await list_letters(context(queue), all_=False, json=False) == 0

    assert "2 of about 3 in pillow-state-poison; the others are hidden" in capsys.readouterr().out


async def test_show_finds_a_letter_behind_the_first_page(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its whole text."""
    queue = FakePoisonQueue(texts_of(40))
    assert await show_letter(context(queue), "m39", json=False) == 0

    assert "| waltz 39\n" in capsys.readouterr().out
    assert queue.hidden == set()


async def test_show_names_a_missing_letter_on_standard_error(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its unprintable characters are escaped."""
    assert await show_letter(context(FakePoisonQueue([])), "no\x1bsuch", json=True) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "not found in pillow-state-poison: no\\x1bsuch;" in captured.err


async def test_replay_reports_moved_failed_and_missing_letters(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit status is 1 if one failed or is missing."""
    queue = FakePoisonQueue(
        texts_of(2), lambda operation, _n: Fault.DENIED if operation == "delete" else None
    )
    assert await replay_some(context(queue), frozenset({"m0", "other"}), json=True) == 1

    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["replayed"], document["not_found"]) == ([], ["other"])
    assert "still in the poison queue too: 403" in document["failed"]["m0"]
    assert "not found in pillow-state-poison: other;" in captured.err
    assert queue.states == ["waltz 0"]


async def test_replay_prints_what_was_moved_and_the_forecast(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    """A text that cannot be decoded becomes a dead letter again."""
    queue = FakePoisonQueue(["what?", "hug"])
    assert await replay_some(context(queue), frozenset({"m0", "m1"}), json=False) == 0

    captured = capsys.readouterr()
    assert captured.out == "2 of 2 put back on pillow-state.\n"
    assert "cannot be decoded by this poller and become dead letters again: 1" in captured.err
    assert "carry no time and get the time of the replay: 1" in captured.err


async def test_one_reason_is_printed_once_with_at_most_eight_ids(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    """--json has all of them."""
    queue = FakePoisonQueue(
        texts_of(12), lambda operation, _n: Fault.DENIED if operation == "requeue" else None
    )
    ids = frozenset(queue.letters)
    assert await replay_some(context(queue), ids, json=False) == 1

    err = capsys.readouterr().err
    assert err.count("not put back: 403") == 1
    assert err.count("  m") == 8
    assert "and 4 more" in err


async def test_export_writes_a_whole_file_or_none(
    context: Context, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It replaces an existing file only with force, and leaves no temporary file."""
    queue, path = FakePoisonQueue(texts_of(40)), tmp_path / "letters.jsonl"
    assert await export_to_file(context(queue), path, force=False, json=True) == 0
    assert json_of(capsys) == {"file": str(path), "letters": 40}
    lines = path.read_text().splitlines()
    assert sorted(json.loads(line)["text"] for line in lines) == sorted(texts_of(40))

    assert await export_to_file(context(queue), path, force=False, json=False) == 1
    assert "was created meanwhile; nothing was written" in capsys.readouterr().err
    assert await export_to_file(context(queue), path, force=True, json=False) == 0
    missing = tmp_path / "no" / "file"
    assert await export_to_file(context(queue), missing, force=True, json=False) == 1
    assert f"{missing} cannot be written: No such file" in capsys.readouterr().err
    assert names_in(tmp_path) == [path.name]


async def test_export_to_standard_output_writes_letters_only(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their number goes to standard error."""
    assert await export_to_stdout(context(FakePoisonQueue(["a"]))) == 0

    captured = capsys.readouterr()
    assert json.loads(captured.out)["text"] == "a"
    assert captured.err == "1 written.\n"


async def test_delete_reports_deleted_failed_and_missing_letters(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit status is 1 if one failed or is missing; a letter that failed is not hidden."""
    queue = FakePoisonQueue(texts_of(3))
    queue.lose_lease("m1")
    assert await delete_letters(context(queue), frozenset({"m0", "m1", "other"}), json=True) == 1

    captured = capsys.readouterr()
    assert json.loads(captured.out) == {
        "deleted": ["m0"],
        "failed": {"m1": "not deleted: another consumer has received it"},
        "not_found": ["other"],
    }
    assert "not found in pillow-state-poison: other;" in captured.err
    assert (set(queue.letters), queue.states) == ({"m1", "m2"}, [])


async def test_delete_prints_how_many_were_deleted(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = FakePoisonQueue(texts_of(2))
    assert await delete_letters(context(queue), frozenset({"m0"}), json=False) == 0

    assert capsys.readouterr().out == "1 of 1 deleted from pillow-state-poison.\n"
