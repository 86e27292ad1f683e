"""`simulator trace`: prints what a pillow's accelerometer measures during a gesture."""

from typing import Annotated

import typer

from runtime.settings import SettingsError
from simulator.commands.options import random_seed, usage_errors
from simulator.model.gestures import GESTURES
from simulator.model.motion_trace import motion_trace
from simulator.plot import plot


def trace(
    gesture: Annotated[
        str, typer.Argument(metavar="GESTURE", help=", ".join(GESTURES) + " or rest.")
    ],
    seed: Annotated[
        int | None, typer.Option(min=0, help="The seed; another seed gives another trace.")
    ] = None,
    hz: Annotated[int, typer.Option(help="Samples per second: 25, 50 or 100.")] = 100,
    lasts: Annotated[
        float,
        typer.Option("--for", min=1, max=600, metavar="SECONDS", help="Duration of the gesture."),
    ] = 4.0,
    svg: Annotated[bool, typer.Option("--svg", help="Print a plot instead of numbers.")] = False,
) -> None:
    """Print the trace of a gesture: one second of rest, the gesture, two seconds of rest.

    The output is CSV: the time in seconds, x, y and z in g, and the state that the pillow's own
    classifier reports at that time.

    [bold]Examples[/bold]

      simulator trace throw --seed 7 > throw.csv
      simulator trace spin --svg > spin.svg
    """
    with usage_errors("trace"):
        if gesture not in GESTURES and gesture != "rest":
            raise SettingsError(f"GESTURE = {gesture!r}: one of {', '.join(GESTURES)}, rest")
        if hz not in (25, 50, 100):
            raise SettingsError(f"--hz = {hz}: 25, 50 or 100")
        used_seed = seed if seed is not None else random_seed()
        samples, states = motion_trace(gesture, seed=used_seed, hz=hz, duration_s=lasts)
    if svg:
        title = f"{gesture}, seed {used_seed}, {hz} Hz"
        typer.echo(plot(samples, hz, states, title), nl=False)
        return
    typer.echo("t,x,y,z,state")
    current = 0
    for index, (x, y, z) in enumerate(samples):
        while current + 1 < len(states) and states[current + 1][0] <= index / hz:
            current += 1
        typer.echo(f"{index / hz:.2f},{x},{y},{z},{states[current][1]}")
