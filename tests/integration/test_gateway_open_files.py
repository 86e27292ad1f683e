"""A real gateway process that has no file descriptor left."""

import resource
from itertools import count
from pathlib import Path

from devstack.broker import Broker
from tests.gateway import Gateway, handshake
from tests.waiting import until


async def test_a_process_without_descriptors_says_so_and_recovers(
    broker: Broker, prefix: str
) -> None:
    """EMFILE is a metric and one line; clients stay, and newcomers are let in again afterwards."""
    async with Gateway(broker, prefix) as gateway, gateway.connect() as client:
        await client.receive_snapshot()
        pid = gateway.pid
        assert pid is not None
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (_first_free(pid), limits[1]))
        refused = await gateway.open_raw(handshake())
        assert await refused.read_to_end() == b""
        refused.close()

        def lines() -> list[str]:
            return [line for line in gateway.log.lines if "out of open files" in line]

        await until(lambda: len(lines()) == 1, "logged")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)

        assert "GATEWAY_MAX_CONNECTIONS" in lines()[0]
        assert await gateway.metric("out_of_files_total") > 0
        async with gateway.connect() as later:
            await later.receive_snapshot()
        await client.send({"type": "ping", "sent": 1})
        assert (await client.receive())["type"] == "pong"
        assert len(lines()) == 1


def _first_free(pid: int) -> int:
    """Return the descriptor that the process would get next."""
    used = {int(one.name) for one in Path(f"/proc/{pid}/fd").iterdir()}
    return next(number for number in count() if number not in used)
