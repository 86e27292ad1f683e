"""The command `pillowcast`."""

from typing import Annotated

import typer

from ops.commands.adopted import add_others, dead_letters
from ops.commands.bench import bench
from ops.commands.doctor import doctor
from ops.commands.explain import explain
from ops.commands.tail import tail
from ops.commands.trace_client import trace_client
from runtime.version import print_version

app = typer.Typer(
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(doctor)
app.command()(explain)
app.command()(tail)
app.command("trace-client")(trace_client)
app.command()(bench)
app.add_typer(dead_letters(), name="dead-letters")
add_others(app)


def _version(wanted: bool) -> None:
    if wanted:
        print_version("ops", "pillowcast")


@app.callback()
def pillowcast(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Ask a Pillowcast what is wrong, why a pillow is grey, and what it does now.

    The settings are those of the services, from the environment; .env.example lists them.

    \b
    Examples:
      pillowcast doctor
      pillowcast explain cloud-1
      pillowcast tail
      pillowcast --install-completion
    """


def main() -> None:
    """Run the command line."""
    app(prog_name="pillowcast")


if __name__ == "__main__":
    main()
