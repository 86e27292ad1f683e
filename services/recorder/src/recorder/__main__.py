"""The command `recorder`: the service without arguments, its commands with arguments."""

import sys


def main() -> None:
    """Run the service or a command; either sets the exit status itself."""
    if len(sys.argv) > 1:
        from recorder.commands.cli import run
    else:
        from recorder.service import run
    run()


if __name__ == "__main__":
    main()
