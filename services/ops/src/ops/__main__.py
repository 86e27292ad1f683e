"""The command `pillowcast`."""

from typing import Annotated

from ops.commands.adopted import add_others, dead_letters
from ops.commands.bench import bench
from ops.commands.doctor import doctor
from ops.commands.explain import explain
from ops.commands.tail import tail
from ops.commands.trace_client import trace_client
from runtime.command_line import command_line, version_option

app = command_line(add_completion=True)
app.command()(doctor)
app.command()(explain)
app.command()(tail)
app.command("trace-client")(trace_client)
app.command()(bench)
app.add_typer(dead_letters(), name="dead-letters")
add_others(app)


@app.callback()
def pillowcast(
    version: Annotated[bool, version_option("ops", "pillowcast")] = False,
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
