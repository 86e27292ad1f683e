"""The command `notifier`: the service without arguments, the commands with arguments."""

import sys


def main() -> None:
    """Run the service or a command; either sets the exit status itself."""
    if len(sys.argv) > 1:
        from notifier.commands.cli import run  # a terminal library that the service does not need
    else:
        from notifier.service import run
    run()


if __name__ == "__main__":
    main()
