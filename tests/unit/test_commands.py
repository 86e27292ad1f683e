"""The commands of the services: help with examples, a version, an error for what is unknown."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gateway.commands.cli import app as gateway
from notifier.commands.cli import app as notifier
from ops.__main__ import app as pillowcast
from poller.commands.cli import app as poller
from recorder.commands.cli import app as recorder
from simulator.__main__ import app as simulator

APPS = {
    "gateway": gateway,
    "notifier": notifier,
    "poller": poller,
    "recorder": recorder,
    "simulator": simulator,
    "pillowcast": pillowcast,
}


def words_of(app: typer.Typer) -> Iterator[list[str]]:
    """Yield the words of each command, and of each group."""

    def walk(command: Any, words: list[str]) -> Iterator[list[str]]:
        yield words
        for name, below in getattr(command, "commands", {}).items():
            yield from walk(below, [*words, name])

    return walk(typer.main.get_command(app), [])


COMMANDS = [(service, words) for service, app in APPS.items() for words in words_of(app)]


def run(service: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    command = Path(sys.executable).parent / service
    return subprocess.run([command, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("service", "words"), COMMANDS, ids=str)
def test_the_help_of_every_command_has_examples(service: str, words: list[str]) -> None:
    for option in ("--help", "-h"):
        result = CliRunner().invoke(APPS[service], [*words, option], prog_name=service)

        assert result.exit_code == 0
        _, title, examples = result.output.partition("Example")
        assert title
        assert re.search(rf"^ +{' '.join([service, *words])}\b", examples, re.MULTILINE)


@pytest.mark.parametrize("service", APPS)
def test_a_service_prints_its_version_and_does_not_start(service: str) -> None:
    done = run(service, "--version")

    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(rf"{service} \d+\.\d+\.\d+ .*\n", done.stdout)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["gateway", "shar"], "share"),
        (["notifier", "chek"], "check"),
        (["notifier", "dead-letters", "lst"], "list"),
        (["recorder", "exprt"], "export"),
        (["poller", "dead-leters"], "dead-letters"),
        (["poller", "dead-letters", "lst"], "list"),
        (["simulator", "chek"], "check"),
        (["pillowcast", "doctro"], "doctor"),
    ],
)
def test_a_command_that_is_not_known_is_refused_with_the_nearest(
    words: list[str], meant: str
) -> None:
    done = run(*words)

    assert done.returncode == 2
    assert f"No such command '{words[-1]}'" in done.stderr
    assert f"'{meant}'" in done.stderr


@pytest.mark.parametrize("service", APPS)
def test_an_option_that_is_not_known_is_refused(service: str) -> None:
    done = run(service, "--verison")

    assert done.returncode == 2
    assert "--verison" in done.stderr


@pytest.mark.parametrize(
    ("shell", "env"),
    [
        ("bash", {"COMP_WORDS": "pillowcast do", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "pillowcast do"}),
        (
            "fish",
            {"_TYPER_COMPLETE_ARGS": "pillowcast do", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
        ),
    ],
)
def test_shells_complete_the_operators_command(
    shell: str, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    shown = run("pillowcast", "--show-completion", shell)
    for name, value in {**env, "_PILLOWCAST_COMPLETE": f"complete_{shell}"}.items():
        monkeypatch.setenv(name, value)
    completed = run("pillowcast")

    assert "_PILLOWCAST_COMPLETE" in shown.stdout
    assert "doctor" in completed.stdout
    assert "explain" not in completed.stdout


def test_a_host_that_is_none_is_refused_with_its_own_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for service, variable in (("gateway", "GATEWAY_HOST"), ("poller", "POLLER_HOST")):
        monkeypatch.setenv(variable, "999.1.1.1")

        done = run(service)

        assert done.returncode == 2
        assert f"{service}: cannot listen on 999.1.1.1:" in done.stderr
        assert f"set {variable} to an address of this machine" in done.stderr
