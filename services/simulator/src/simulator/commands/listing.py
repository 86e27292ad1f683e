"""`simulator list`: lists the scenarios that come with the simulator."""

from typing import Annotated

import typer
from msgspec import UNSET
from rich.console import Console
from rich.table import Table

from simulator.commands.options import find_scenario, usage_errors
from simulator.scenario.library import SCHEMA, built_in_names, source


def list_(
    show: Annotated[
        str | None,
        typer.Argument(
            metavar="SCENARIO", help="Print the file of this scenario, to start your own from."
        ),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of a scenario file.")
    ] = False,
) -> None:
    """List the scenarios that come with the simulator, or print the file of one.

    [bold]Examples[/bold]

      simulator list
      simulator list hug-storm > mine.toml
      simulator list --schema > scenario.schema.json
    """
    with usage_errors("list"):
        if schema:
            typer.echo(SCHEMA.read_text(encoding="utf-8"), nl=False)
            return
        if show is not None:
            find_scenario(show)
            typer.echo(source(show), nl=False)
            return
        table = Table(box=None, padding=(0, 2, 0, 0))
        for name in ("scenario", "pillows", "lasts", "expects", "about"):
            table.add_column(name, header_style="bold", overflow="fold")
        for name in built_in_names():
            scenario = find_scenario(name)
            table.add_row(
                name,
                f"{sum(group.count for group in scenario.pillows):,}",
                scenario.lasts if scenario.lasts is not UNSET else "—",
                str(len(scenario.expect) or "—"),
                scenario.about,
            )
        Console().print(table)
