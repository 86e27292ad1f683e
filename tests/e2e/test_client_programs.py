"""The Node.js programs of docs/client.md, while the gateway is killed and restarted."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devstack.broker import Broker
from devstack.node import find_node
from devstack.processes import ROOT
from tests import running_program
from tests.e2e.sites import LiveSite, live_site
from tests.gateway import state
from tests.running_program import Running
from tests.waiting import until

DOCUMENT = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
HOST = "https://pillows.example"
PATIENCE_S = 60.0
"""How long a program may take for a step: a client waits up to 20 s before it tries again."""

pytestmark = pytest.mark.timeout(180)


def snippet(heading: str) -> str:
    """Return the first code block of a chapter."""
    _, _, chapter = DOCUMENT.partition(f"# {heading}\n")
    assert chapter, f"docs/client.md has no chapter {heading!r}"
    return chapter.split("```", 2)[1].partition("\n")[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with the package as npm installs it."""
    package = tmp_path / "node_modules" / "pillowcast"
    shutil.copytree(ROOT / "services/gateway/src/gateway/static/client", package)
    return tmp_path


@pytest.fixture
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """A gateway with three pillows, which a test may kill."""
    async for made in live_site(broker):
        await made.publisher.publish_all([state(f"cloud-{n}", "neutral") for n in (1, 2, 3)])
        await made.gateway.wait_for_metric("pillows", 3)
        yield made


@asynccontextmanager
async def program(folder: Path, source: str, site: LiveSite) -> AsyncIterator[Running]:
    """Run a program."""
    folder.joinpath("program.mjs").write_text(source.replace(HOST, site.url), encoding="utf-8")
    async with running_program.running(
        find_node(), "program.mjs", cwd=folder, within_s=PATIENCE_S
    ) as started:
        yield started


async def test_stream_survives_a_killed_gateway_and_ends_when_it_is_aborted(
    site: LiveSite, folder: Path
) -> None:
    """No update is missed, and the program exits with status 0."""
    source = "const stop = new AbortController(); process.once('SIGTERM', () => stop.abort());\n"
    source += snippet("Read the stream").replace("AbortSignal.timeout(60_000)", "stop.signal")
    assert "= stop.signal" in source
    async with program(folder, source, site) as running:
        await running.read_until(lambda line: line.startswith("cloud-3 "))
        site.gateway.kill()
        await site.gateway.wait()
        await site.publisher.publish(state("cloud-2", "hugging"))
        await site.gateway.start()

        await running.read_until(lambda line: line == "cloud-2 neutral → hugging")
        await site.publisher.remove("cloud-2")
        await running.read_until(lambda line: line == "cloud-2 hugging → undefined")
        assert await running.terminate() == 0


async def test_program_ends_after_break(site: LiveSite, folder: Path) -> None:
    """Neither the client nor the timeout of its signal keeps it running."""
    source = snippet("Read the stream").replace("\n}", "\n  break;\n}") + "console.log('left');\n"
    assert "break" in source
    async with program(folder, source, site) as running:
        await running.read_until(lambda line: line == "left")
        assert await running.wait() == 0


async def test_program_resumes_at_the_cursor_of_the_last_one(site: LiveSite, folder: Path) -> None:
    """It receives only what changed or was removed; from a new gateway, everything."""
    source = snippet("Resume at a cursor")
    async with program(folder, source, site) as running:
        await running.read_until(lambda line: line.startswith("cloud-"))
        await site.publisher.publish(state("cloud-3", "shaking"))
        await running.read_until(lambda line: line == "cloud-3 shaking")
        async with site.gateway.connect() as browser:
            now = (await browser.receive())["cursor"]
        kept = folder / "cursor"
        await until(lambda: kept.exists() and kept.read_text() == now, f"the cursor {now} is kept")
    await site.publisher.publish(state("cloud-1", "spinning"))
    await site.publisher.remove("cloud-2")
    await site.gateway.wait_for_metric("pillows", 2)

    async with program(folder, source, site) as running:
        printed = await running.read_until(lambda line: line == "cloud-2 is no more")
        await site.publisher.publish(state("cloud-3", "throwing"))
        printed += await running.read_until(lambda line: line == "cloud-3 throwing")
    assert printed == ["cloud-1 spinning", "cloud-2 is no more", "cloud-3 throwing"]

    site.gateway.kill()
    await site.gateway.wait()
    await site.gateway.start()
    async with program(folder, source, site) as running:
        printed = [(await running.read_until(bool))[0] for _ in range(2)]
    assert sorted(printed) == ["cloud-1 spinning", "cloud-3 throwing"]


async def test_history_is_printed_oldest_first(site: LiveSite, folder: Path) -> None:
    """Past states are in order of time."""
    async with site.gateway.connect("?pillow=cloud-1") as browser:
        await site.publisher.publish(state("cloud-1", "hugging"))
        await browser.receive_state("cloud-1", "hugging")
    async with program(folder, snippet("History"), site) as running:
        printed = await running.read_until(lambda line: line.endswith("hugging"))
    assert [line.split()[1] for line in printed] == ["neutral", "hugging"]


async def test_status_gives_the_reason_while_the_gateway_is_down(
    site: LiveSite, folder: Path
) -> None:
    """`reason` names the error, and the client retries."""
    site.gateway.kill()
    await site.gateway.wait()
    async with program(folder, snippet("Connection errors"), site) as running:
        await running.read_until(
            lambda line: line.startswith("disconnected waiting") and "ECONNREFUSED" in line
        )
        await site.gateway.start()
        await running.read_until(lambda line: line.startswith("live open"))


async def test_typescript_program_compiles_with_the_published_types(folder: Path) -> None:
    """In strict mode, without other types."""
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
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


FLEET = 5_000

FLEET_PROGRAM = f"""
import {{ connect }} from "pillowcast";
const client = connect({{ url: "{HOST}" }});
let pieces = 0;
client.addEventListener("change", ({{ detail }}) => {{
  if (detail.isSnapshot) pieces += 1;
  const {{ pillows, isLoading }} = client;
  const watched = pillows.get("cloud-7")?.state;
  console.log(`${{pillows.size}} ${{watched}} loading=${{isLoading}} several=${{pieces > 1}}`);
}});
process.once("SIGTERM", () => client.close());
"""


async def test_a_client_has_all_of_a_large_fleet_also_after_the_gateway_restarts(
    broker: Broker, folder: Path
) -> None:
    """Its snapshot is several frames; what was removed while it was away goes with the last."""
    async for site in live_site(broker):
        fleet = [state(f"cloud-{number}", "neutral") for number in range(FLEET)]
        await site.publisher.publish_all(fleet)
        await site.gateway.wait_for_metric("pillows", FLEET)
        async with program(folder, FLEET_PROGRAM, site) as running:
            await running.read_until(lambda line: line == "5000 neutral loading=false several=true")
            await site.publisher.publish(state("cloud-7", "hugging"))
            await running.read_until(lambda line: line.startswith("5000 hugging loading=false"))
            site.gateway.kill()
            await site.gateway.wait()
            await site.publisher.remove("cloud-8")
            await site.gateway.start()
            await running.read_until(lambda line: line.startswith("4999 hugging loading=false"))
            assert await running.terminate() == 0
