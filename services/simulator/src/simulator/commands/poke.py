"""`simulator poke`: sends a single message."""

import asyncio
import time
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from contract.states import STATES, canonical_state
from contract.topics import is_pillow_id
from runtime.lifecycle import run_service
from runtime.redaction import redact
from runtime.settings import SettingsError
from simulator.commands.options import Target, parse_time, usage_errors
from simulator.model.classifier import WINDOW_S, classify, extract_features
from simulator.model.config import GroupConfig
from simulator.model.events import Report
from simulator.model.gestures import DURATIONS_S, GESTURES, random_rest_pose
from simulator.model.rng import Rng, stream_key
from simulator.model.sensor import sample_window, sample_window_at_rest
from simulator.settings import SimulatorSettings, TargetName
from simulator.stream.bodies import FAULTY_ENCODERS, encode_body
from simulator.stream.items import StreamItem
from simulator.targets import open_target
from simulator.targets.target import Unavailable
from simulator.terminal import CONSOLE, set_up_logs

SEND_TIMEOUT_S = 10.0
"""How long the target may take to accept the message."""

_MAX_PRINTED = 300
"""Characters of the message that are printed."""


def poke(
    pillow: Annotated[str, typer.Argument(metavar="PILLOW", help="The pillow's id, like cloud-1.")],
    state: Annotated[
        str, typer.Argument(metavar="STATE", help=", ".join(STATES) + "; or hug, punch …")
    ],
    target: Target = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="An additional field, its value as JSON; may be repeated."
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="RFC3339", help="The message's time; else now.")
    ] = None,
    seq: Annotated[
        int, typer.Option(min=0, help="The order among messages with the same time.")
    ] = 0,
    fault: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help="Send a faulty message: " + ", ".join(FAULTY_ENCODERS) + "."
        ),
    ] = None,
    motion: Annotated[bool, typer.Option(help="Include the samples of such a gesture.")] = True,
) -> None:
    """Send a single message, and print it.

    [bold]Examples[/bold]

      simulator poke cloud-1 hugging
      simulator poke cloud-1 throw --target mqtt --field battery=0.05
      simulator poke cloud-1 hug --fault malformed
    """
    with usage_errors("poke"):
        settings = SimulatorSettings.load(SIMULATOR_TARGET=target)
        known_state = canonical_state(state)
        if known_state is None:
            raise SettingsError(f"STATE = {state!r}: one of {', '.join(STATES)}")
        if not is_pillow_id(pillow):
            raise SettingsError(f"PILLOW = {pillow!r}: a-z, 0-9 and hyphens, at most 63")
        if fault is not None and fault not in FAULTY_ENCODERS:
            raise SettingsError(f"--fault = {fault!r}: one of {', '.join(FAULTY_ENCODERS)}")
        at_us = parse_time("--at", at) or time.time_ns() // 1000
        group = GroupConfig("poke", fields=_parse_fields(field or []))
        report = _make_report(group, known_state, seq, with_motion=motion)
        if fault is not None:
            variant = time.time_ns() // 1_000_000
            body = FAULTY_ENCODERS[fault](report, pillow, at_us, variant)
        else:
            body = encode_body(report, pillow, at_us)
        target_name = settings.target or "queue"
        set_up_logs(settings, live=False)
        error = _send(settings, target_name, StreamItem(0.0, pillow, body, report=report))
    if error:
        CONSOLE.print(Text(redact(f"not sent: {error}"), style="bold red"), soft_wrap=True)
        raise SystemExit(1)
    _print_sent(target_name, body, is_faulty=fault is not None)


def _send(settings: SimulatorSettings, target_name: TargetName, item: StreamItem) -> str:
    """Send one message; return the error, "" if it was accepted."""
    error = ""

    async def run(stopping: asyncio.Event) -> None:
        nonlocal error
        async with open_target(target_name, settings) as target:
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await target.wait_ready()
                    await target.send([item])
            except Unavailable as outage:
                error = str(outage) or "the connection was lost"
            except TimeoutError:
                error = (
                    f"{target_name} did not accept it within {SEND_TIMEOUT_S:.0f} s; a line above "
                    "says why, if it is known"
                )
        stopping.set()

    run_service(run)
    return error


def _print_sent(target_name: TargetName, body: bytes, *, is_faulty: bool) -> None:
    if target_name != "stdout":
        CONSOLE.print(Text(f"sent to {target_name}: ").append(_printed(body)), soft_wrap=True)
    if target_name == "queue" and is_faulty:
        CONSOLE.print("a poller keeps it as a dead letter: poller dead-letters list")


def _parse_fields(pairs: list[str]) -> tuple[tuple[str, bytes], ...]:
    fields = []
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not (name and sign):
            raise SettingsError(f"--field = {pair!r}: write it like room=attic or battery=0.5")
        try:
            msgspec.json.decode(value)
            fields.append((name, value.encode()))
        except msgspec.MsgspecError:
            # A value that is not JSON is a string.
            fields.append((name, msgspec.json.encode(value)))
    return tuple(fields)


def _make_report(group: GroupConfig, state: str, seq: int, *, with_motion: bool) -> Report:
    """Return a report with the samples of a gesture that the classifier reports as this state."""
    seed = time.time_ns()
    rng = Rng(stream_key(seed, "poke"))
    pose = random_rest_pose(rng)
    hz, count = group.sample_hz, int(WINDOW_S * group.sample_hz)
    name = next((name for name, made in GESTURES.items() if made.state == state), None)
    if name is None:
        samples = sample_window_at_rest(pose, key=seed, hz=hz, until_s=9, samples=count)
    else:
        gesture = GESTURES[name](rng, pose, DURATIONS_S[name][0])
        until_s = min(gesture.duration_s - 0.2, 2 * WINDOW_S)
        samples = sample_window(
            lambda t: gesture.force(t) if t >= 0 else pose,
            key=seed,
            hz=hz,
            until_s=max(WINDOW_S, until_s),
            samples=count,
        )
    classified, confidence = classify(extract_features(samples, hz))
    motion = tuple(samples) if with_motion and name is not None else ()
    return Report(
        0.0, group, 1, seq, state, confidence if classified == state else 0.5, 0.8, motion
    )


def _printed(body: bytes) -> str:
    text = body.decode()
    if len(text) <= _MAX_PRINTED:
        return text
    return f"{text[: _MAX_PRINTED - 3]}… ({len(body):,} bytes)"
