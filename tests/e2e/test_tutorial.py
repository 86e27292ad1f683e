"""docs/tutorial.md, word for word: its files, its commands and what they print, with a browser."""

import time
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from azure_queue import development_account
from devstack import ports
from devstack.processes import ROOT
from docsite.blocks import code_blocks
from tests.e2e.walkthrough import Walkthrough, with_ports
from tests.waiting import until

PAGE = "docs/tutorial.md"
SHOWN_MS = 40_000


def clone(folder: Path, wanted: ports.Ports) -> None:
    """Make what the tutorial uses of a clone: its commands, and the ports that are free here."""
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (folder / "scripts").mkdir()
    start = folder / "scripts/dev"
    start.write_text(
        f"#!/bin/sh\nexec {ROOT}/scripts/dev --gateway-port {wanted.gateway} "
        f"--mqtt-port {wanted.mqtt} --queue-port {wanted.queue} --poller-port {wanted.poller} "
        f'--ops-port {wanted.ops} "$@"\n'
    )
    start.chmod(0o755)


def is_later_than(second: int) -> bool:
    """Return whether a second is over; in Unix seconds."""
    return time.time() >= second + 1


@pytest.mark.timeout(300)
async def test_the_tutorial_works_word_for_word(tmp_path: Path, page: Page) -> None:
    """On free ports; what is shown in a browser is looked at in one."""
    wanted = ports.settle(ports.Ports())
    clone(tmp_path, wanted)
    own_site = ports.free()
    connection = development_account.connection_string(wanted.queue)
    default = ports.DEFAULT
    rewrite = with_ports(
        {
            default.gateway: wanted.gateway,
            default.mqtt: wanted.mqtt,
            default.queue: wanted.queue,
            default.poller: wanted.poller,
            default.ops: wanted.ops,
            8000: own_site,
        },
        {"UseDevelopmentStorage=true": connection},
    )
    blocks = list(code_blocks(PAGE, (ROOT / PAGE).read_text(encoding="utf-8")))
    env = {
        "AZURE_STORAGE_CONNECTION_STRING": connection,
        "MQTT_URL": f"mqtt://localhost:{wanted.mqtt}",
    }
    cloud = page.locator("[data-pillow=my-pillow]")
    on_page = {"poke my-pillow hugging": "Hugging", "python hug.py": "Spinning"}
    async with Walkthrough(tmp_path, env, rewrite) as reader:
        for block, following in zip(blocks, [*blocks[1:], None], strict=True):
            if block.text.startswith("GATEWAY_ALLOWED_ORIGINS="):
                await reader.stop("scripts/dev")
            await reader.follow(block, following)
            if block.text == "scripts/dev\n":
                await page.goto(rewrite("http://localhost:8080/"))
            for command in [command for command in on_page if command in block.text]:
                await expect(cloud).to_contain_text(on_page.pop(command), timeout=SHOWN_MS)
                # The time of a message without `at` is the second of its insertion. No reader
                # writes a program within the second of the message before.
                await until(partial(is_later_than, int(time.time())), "the next second")
        assert on_page == {}
        await page.goto(rewrite("http://localhost:8000/hello.html"))
        await expect(page.locator("cloud-pillow")).to_have_attribute(
            "data-state", "hugging", timeout=SHOWN_MS
        )
