"""`simulator poke`: one message by hand."""

import asyncio
import time
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from contract.states import STATES, canonical_state
from contract.topics import is_pillow_id
from runtime.lifecycle import run_service
from runtime.settings import SettingsError
from simulator.commands.options import Target, parse_start, usage
from simulator.model.chance import Chance, key_of
from simulator.model.classifier import WINDOW_S, features, judge
from simulator.model.gestures import GESTURES, LASTS_S, resting_pose
from simulator.model.pillow import Kind, Said
from simulator.model.sensor import still_window, window
from simulator.running import CONSOLE, set_up_logs
from simulator.settings import SimulatorSettings
from simulator.stream.bodies import WRITERS, encode_body
from simulator.stream.faults import Item
from simulator.targets import open_target
from simulator.targets.target import Unavailable

WAIT_S = 10.0
"""How long the target may take."""


def poke(
    pillow: Annotated[str, typer.Argument(metavar="PILLOW", help="Its id, like cloud-1.")],
    state: Annotated[
        str, typer.Argument(metavar="STATE", help=", ".join(STATES) + "; or hug, punch …")
    ],
    target: Target = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="One more field, its value as JSON; may be repeated."
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="RFC3339", help="When it is said to be; else now.")
    ] = None,
    seq: Annotated[int, typer.Option(min=0, help="Which of several at the same time.")] = 0,
    fault: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="Say it wrongly: " + ", ".join(WRITERS) + "."),
    ] = None,
    motion: Annotated[bool, typer.Option(help="With the samples of such a gesture.")] = True,
) -> None:
    """Send one message by hand, and show it.

    [bold]Examples[/bold]

      simulator poke cloud-1 hugging
      simulator poke cloud-1 throw --target mqtt --field battery=0.05
      simulator poke cloud-1 hug --fault malformed
    """
    with usage("poke"):
        settings = SimulatorSettings.load(SIMULATOR_TARGET=target)
        word = canonical_state(state)
        if word is None:
            raise SettingsError(f"STATE = {state!r}: there are {', '.join(STATES)}")
        if not is_pillow_id(pillow):
            raise SettingsError(f"PILLOW = {pillow!r}: a-z, 0-9 and hyphens, at most 63")
        if fault is not None and fault not in WRITERS:
            raise SettingsError(f"--fault = {fault!r}: there are {', '.join(WRITERS)}")
        at_us = parse_start(at) or time.time_ns() // 1000
        kind = Kind("poke", fields=_fields(field or []))
        said = _said(kind, word, seq, with_motion=motion)
        body = (
            WRITERS[fault](said, pillow, at_us, time.time_ns() // 1_000_000)
            if fault is not None
            else encode_body(said, pillow, at_us)
        )
        goal = settings.target or "queue"
        set_up_logs(settings, live=False)
        wrong = ""

        async def go(stopping: asyncio.Event) -> None:
            nonlocal wrong
            async with open_target(goal, settings) as opened:
                try:
                    async with asyncio.timeout(WAIT_S):
                        await opened.ready()
                        await opened.send([Item(0.0, pillow, body, said=said)])
                except Unavailable as outage:
                    wrong = str(outage) or "the connection was lost"
                except TimeoutError:
                    wrong = f"{goal} was not there within {WAIT_S:.0f} s"
            stopping.set()

        run_service(go)
    if wrong:
        CONSOLE.print(Text(f"not sent: {wrong}", style="bold red"), soft_wrap=True)
        raise SystemExit(1)
    if goal != "stdout":
        CONSOLE.print(Text(f"sent to {goal}: ").append(_shown(body)), soft_wrap=True)


def _fields(pairs: list[str]) -> tuple[tuple[str, bytes], ...]:
    found = []
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not (name and sign):
            raise SettingsError(f"--field = {pair!r}: write it like room=attic or battery=0.5")
        try:
            msgspec.json.decode(value)
            found.append((name, value.encode()))
        except msgspec.MsgspecError:
            # A word is meant as one.
            found.append((name, msgspec.json.encode(value)))
    return tuple(found)


def _said(kind: Kind, state: str, seq: int, *, with_motion: bool) -> Said:
    """Make a report of a gesture of this kind, as a pillow would."""
    seed = time.time_ns()
    chance = Chance(key_of(seed, "poke"))
    pose = resting_pose(chance)
    hz, count = kind.sample_hz, int(WINDOW_S * kind.sample_hz)
    word = next((one for one, make in GESTURES.items() if make.state == state), None)
    if word is None:
        samples = still_window(pose, key=seed, hz=hz, until_s=9, samples=count)
    else:
        gesture = GESTURES[word](chance, pose, LASTS_S[word][0])
        until_s = min(gesture.lasts_s - 0.2, 2 * WINDOW_S)
        samples = window(
            lambda t: gesture.force(t) if t >= 0 else pose,
            key=seed,
            hz=hz,
            until_s=max(WINDOW_S, until_s),
            samples=count,
        )
    judged, confidence = judge(features(samples, hz))
    told = tuple(samples) if with_motion and word is not None else ()
    return Said(0.0, kind, 1, seq, state, confidence if judged == state else 0.5, 0.8, told)


def _shown(body: bytes) -> str:
    text = body.decode()
    return text if len(text) <= 300 else f"{text[:297]}… ({len(body):,} bytes)"
