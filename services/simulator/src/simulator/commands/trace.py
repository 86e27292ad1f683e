"""`simulator trace`: what a pillow's accelerometer says of a gesture."""

from typing import Annotated

import typer

from runtime.settings import SettingsError
from simulator.commands.options import usage
from simulator.model.gestures import GESTURES
from simulator.model.tracing import trace_of
from simulator.plot import plot
from simulator.seeds import drawn_seed


def trace(
    gesture: Annotated[
        str, typer.Argument(metavar="GESTURE", help=", ".join(GESTURES) + " or rest.")
    ],
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed, another one.")] = None,
    hz: Annotated[int, typer.Option(help="Samples a second: 25, 50 or 100.")] = 100,
    lasts: Annotated[
        float, typer.Option("--for", min=1, max=600, metavar="SECONDS", help="How long it lasts.")
    ] = 4.0,
    svg: Annotated[bool, typer.Option("--svg", help="A plot instead of numbers.")] = False,
) -> None:
    """Print the trace of a gesture: a second of rest, the gesture, and two seconds of rest.

    Numbers are CSV: the time in seconds, x, y and z in g, and the state that the pillow's own
    classifier says at that time.

    [bold]Examples[/bold]

      simulator trace throw --seed 7 > throw.csv
      simulator trace spin --svg > spin.svg
    """
    with usage("trace"):
        if gesture not in GESTURES and gesture != "rest":
            raise SettingsError(f"GESTURE = {gesture!r}: there are {', '.join(GESTURES)} and rest")
        if hz not in (25, 50, 100):
            raise SettingsError(f"--hz = {hz}: 25, 50 or 100")
        used = seed if seed is not None else drawn_seed()
        samples, states = trace_of(gesture, seed=used, hz=hz, lasts_s=lasts)
    if svg:
        typer.echo(plot(samples, hz, states, f"{gesture}, seed {used}, {hz} Hz"), nl=False)
        return
    typer.echo("t,x,y,z,state")
    place = 0
    for index, (x, y, z) in enumerate(samples):
        while place + 1 < len(states) and states[place + 1][0] <= index / hz:
            place += 1
        typer.echo(f"{index / hz:.2f},{x},{y},{z},{states[place][1]}")
