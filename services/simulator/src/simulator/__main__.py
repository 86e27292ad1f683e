"""The command `simulator`."""

import sys
from typing import Annotated, Final

from runtime.command_line import command_line, version_option
from simulator.commands.check import check_
from simulator.commands.clear import clear
from simulator.commands.listing import list_
from simulator.commands.poke import poke
from simulator.commands.record import record
from simulator.commands.replay import replay
from simulator.commands.run import run
from simulator.commands.trace import trace

_OWN_OPTIONS: Final = ("-h", "--help", "--version")

app = command_line(rich_markup_mode="rich", no_args_is_help=False)
app.command("run")(run)
app.command("list")(list_)
app.command("check")(check_)
app.command("record")(record)
app.command("replay")(replay)
app.command("poke")(poke)
app.command("clear")(clear)
app.command("trace")(trace)


@app.callback()
def simulator(
    version: Annotated[bool, version_option("simulator")] = False,
) -> None:
    """Simulated pillows for development, tests and stages, with injected faults on request.

    [bold]simulator[/bold] without a command is [bold]simulator run[/bold]. Every run can be
    repeated with its seed.

    [bold]Examples[/bold]

      simulator list
      simulator run stage-demo
      simulator check smoke
      simulator poke cloud-1 hugging
    """


def main() -> None:
    """Run the command line; options without a command are those of `run`."""
    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in _OWN_OPTIONS):
        arguments = ["run", *arguments]
    app(arguments)


if __name__ == "__main__":
    main()
