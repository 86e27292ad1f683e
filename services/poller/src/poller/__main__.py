"""The command `poller`: the service without arguments, the dead-letter tool with arguments.

Each imports only what it needs: the service no terminal library, the tool no MQTT and no HTTP
server.
"""

import sys


def main() -> None:
    """Run the service or the tool; either sets the exit status itself."""
    if len(sys.argv) > 1:
        from poller.commands.cli import run
    else:
        from poller.service import run
    run()


if __name__ == "__main__":
    main()
