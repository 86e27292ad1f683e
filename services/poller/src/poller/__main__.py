"""The command `poller`: without arguments the service, with them a tool for people.

Each loads only what it needs: the one no terminal, the other no broker and no web server.
"""

import sys


def main() -> None:
    """Run the one or the other; each sees to the exit status itself."""
    if len(sys.argv) > 1:
        from poller.commands.dead_letters import run
    else:
        from poller.service import run
    run()


if __name__ == "__main__":
    main()
