"""`scripts/audit`: known vulnerabilities of the packages in the lock files.

A service that does not answer is reported and is no failure: it says nothing about the packages.
"""

import asyncio
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from devstack.node import find_node, npm
from devstack.processes import ROOT

PIP_AUDIT: Final = "pip-audit==2.10.*"
TIMEOUT_S: Final = 180.0


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of one lock file: each vulnerability, how many packages, or why nothing is."""

    name: str
    packages: int = 0
    vulnerabilities: tuple[str, ...] = ()
    outage: str | None = None

    def __str__(self) -> str:
        if self.outage is not None:
            return f"{self.name}: not audited, the service does not answer: {self.outage}"
        found = self.vulnerabilities or ("no known vulnerability",)
        return "\n".join(f"{self.name}: {line}" for line in (f"{self.packages} packages", *found))


def read_pip_audit(output: str) -> Result:
    """Return the result of `pip-audit --format json`."""
    found = _json(output)
    dependencies = found.get("dependencies")
    if not dependencies:
        return Result("uv.lock", outage=_last_line(output))
    skipped = [each["skip_reason"] for each in dependencies if "skip_reason" in each]
    if len(skipped) == len(dependencies):
        return Result("uv.lock", outage=skipped[0])
    vulnerabilities = tuple(
        f"{each['name']} {each['version']}: {one['id']}, mended in "
        f"{', '.join(one['fix_versions']) or 'no version yet'}"
        for each in dependencies
        for one in each.get("vulns", ())
    )
    unknown = tuple(f"not audited: {reason}" for reason in skipped)
    return Result("uv.lock", len(dependencies) - len(skipped), vulnerabilities + unknown)


def read_npm_audit(output: str) -> Result:
    """Return the result of `npm audit --json`."""
    found = _json(output)
    if "vulnerabilities" not in found:
        return Result("package-lock.json", outage=str(found.get("message") or _last_line(output)))
    vulnerabilities = tuple(
        f"{name}: {one['severity']}, {one['range']}"
        for name, one in sorted(found["vulnerabilities"].items())
    )
    count = found["metadata"]["dependencies"]["total"]
    return Result("package-lock.json", count, vulnerabilities)


async def main() -> int:
    """Run both audits; return 1 if a vulnerability is known, else 0."""
    uv = shutil.which("uv") or str(ROOT / ".devstack" / "tools" / "bin" / "uv")
    results = await asyncio.gather(_audit_python(uv), _audit_javascript())
    for result in results:
        print(result)
    return 1 if any(result.vulnerabilities for result in results) else 0


async def _audit_python(uv: str) -> Result:
    exported = await _run(
        *(uv, "export", "--frozen", "--quiet", "--all-packages", "--all-groups"),
        *("--no-emit-workspace", "--format", "requirements.txt"),
    )
    requirements = ROOT / ".devstack" / "audit.txt"
    await asyncio.to_thread(_write, requirements, exported)
    words = (
        *("tool", "run", "--quiet", "--from", PIP_AUDIT, "pip-audit", "--disable-pip"),
        *("--progress-spinner", "off", "--format", "json", "--requirement", str(requirements)),
    )
    return read_pip_audit(await _run(uv, *words))


async def _audit_javascript() -> Result:
    command = (*npm(find_node()), "audit", "--package-lock-only", "--json")
    return read_npm_audit(await _run(*command))


async def _run(*command: str) -> str:
    """Return what a command prints; its exit status may say that something was found."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"no answer within {TIMEOUT_S:g} s"
    return (output or errors).decode(errors="replace")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def _json(output: str) -> dict[str, Any]:
    try:
        found = json.loads(output)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _last_line(output: str) -> str:
    return (output.strip().splitlines() or ["it printed nothing"])[-1]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
