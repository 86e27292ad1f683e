"""Programs for Node.js as docs/client.md says, while the gateway dies and comes back."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devstack.broker import Broker
from devstack.node import find_node
from devstack.processes import ROOT
from tests.e2e.sites import Sky, sky_of
from tests.gateway import state
from tests.waiting import until

DOCUMENT = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
HOST = "https://pillows.example"
PATIENCE_S = 20.0


def snippet(heading: str) -> str:
    """The first code of a chapter."""
    _, _, chapter = DOCUMENT.partition(f"# {heading}\n")
    assert chapter, f"docs/client.md has no chapter {heading!r}"
    return chapter.split("```", 2)[1].partition("\n")[2]


class Running:
    """A program and what it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def until(self, wanted: Callable[[str], bool]) -> list[str]:
        """The lines up to the one that is wanted."""
        assert self._process.stdout is not None
        lines: list[str] = []
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not lines or not wanted(lines[-1]):
                    line = (await self._process.stdout.readline()).decode()
                    assert line, f"the program ended after {lines}"
                    lines.append(line.rstrip())
        except TimeoutError:
            raise AssertionError(f"not what was waited for: {lines}") from None
        return lines

    async def end(self) -> int:
        """Ask it to end, and wait for that; the exit status."""
        self._process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            return await self._process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that has the package as npm would install it."""
    package = tmp_path / "node_modules" / "pillowcast"
    shutil.copytree(ROOT / "services/gateway/src/gateway/static/client", package)
    return tmp_path


@pytest.fixture
async def sky(broker: Broker) -> AsyncIterator[Sky]:
    """A gateway with three pillows, that may be killed."""
    async for made in sky_of(broker):
        await made.cloud.publish_all([state(f"cloud-{n}", "neutral") for n in (1, 2, 3)])
        await made.gateway.wait_for_metric("pillows", 3)
        yield made


@asynccontextmanager
async def program(folder: Path, source: str, sky: Sky) -> AsyncIterator[Running]:
    """Run a program."""
    folder.joinpath("program.mjs").write_text(source.replace(HOST, sky.url), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        find_node(),
        "program.mjs",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_goes_on_through_a_killed_gateway_until_it_is_aborted(
    sky: Sky, folder: Path
) -> None:
    """Nothing is missed, and the program ends by itself."""
    source = snippet("Read the stream").replace(
        "setTimeout(() => stop.abort(), 60_000);", "process.once('SIGTERM', () => stop.abort());"
    )
    assert "SIGTERM" in source
    async with program(folder, source, sky) as running:
        await running.until(lambda line: line.startswith("cloud-3 "))
        sky.gateway.kill()
        await sky.gateway.wait()
        await sky.cloud.publish(state("cloud-2", "hugging"))
        await sky.gateway.start()

        await running.until(lambda line: line == "cloud-2 neutral → hugging")
        await sky.cloud.remove("cloud-2")
        await running.until(lambda line: line == "cloud-2 hugging → undefined")
        assert await running.end() == 0


async def test_it_goes_on_where_the_last_one_was(sky: Sky, folder: Path) -> None:
    """What changed or was removed meanwhile, and nothing else; all there is from a new gateway."""
    source = snippet("Go on where another one was")
    async with program(folder, source, sky) as running:
        await running.until(lambda line: line.startswith("cloud-"))
        await sky.cloud.publish(state("cloud-3", "shaking"))
        await running.until(lambda line: line == "cloud-3 shaking")
        async with sky.gateway.connect() as browser:
            now = (await browser.receive())["cursor"]
        kept = folder / "cursor"
        await until(lambda: kept.exists() and kept.read_text() == now, f"the cursor {now} is kept")
    await sky.cloud.publish(state("cloud-1", "spinning"))
    await sky.cloud.remove("cloud-2")
    await sky.gateway.wait_for_metric("pillows", 2)

    async with program(folder, source, sky) as running:
        told = await running.until(lambda line: line == "cloud-2 is no more")
        await sky.cloud.publish(state("cloud-3", "throwing"))
        told += await running.until(lambda line: line == "cloud-3 throwing")
    assert told == ["cloud-1 spinning", "cloud-2 is no more", "cloud-3 throwing"]

    sky.gateway.kill()
    await sky.gateway.wait()
    await sky.gateway.start()
    async with program(folder, source, sky) as running:
        told = [(await running.until(bool))[0] for _ in range(2)]
    assert sorted(told) == ["cloud-1 spinning", "cloud-3 throwing"]


async def test_it_tells_what_was_before(sky: Sky, folder: Path) -> None:
    """Oldest first."""
    async with sky.gateway.connect("?pillow=cloud-1") as browser:
        await sky.cloud.publish(state("cloud-1", "hugging"))
        await browser.receive_state("cloud-1", "hugging")
    async with program(folder, snippet("What was before"), sky) as running:
        told = await running.until(lambda line: line.endswith("hugging"))
    assert [line.split()[1] for line in told] == ["neutral", "hugging"]


async def test_it_says_why_nothing_comes(sky: Sky, folder: Path) -> None:
    """In words that help, while it goes on trying."""
    sky.gateway.kill()
    await sky.gateway.wait()
    async with program(folder, snippet("When nothing comes"), sky) as running:
        await running.until(
            lambda line: line.startswith("disconnected waiting") and "ECONNREFUSED" in line
        )
        await sky.gateway.start()
        await running.until(lambda line: line.startswith("live open"))


async def test_the_typescript_program_is_one(folder: Path) -> None:
    """Strict, by the types that the package ships and no others."""
    folder.joinpath("program.mts").write_text(snippet("TypeScript"), encoding="utf-8")
    compiler = ROOT / "node_modules" / "typescript" / "bin" / "tsc"
    options = "--noEmit --strict --module nodenext --target es2022 --lib es2023,dom"
    process = await asyncio.create_subprocess_exec(
        find_node(),
        compiler,
        *options.split(),
        "program.mts",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE_S):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
