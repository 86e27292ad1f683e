"""scripts/bench tls: TLS 1.3 in front of the gateway, and what it would cost in the gateway.

Reconnect: ten thousand WebSockets through a proxy with the file of deploy/proxies; the gateway is
restarted, and all connect again, with a full handshake or with the session that they had.
Everything, the clients too, shares the machine's processors.
Memory: what an idle connection adds to a server's resident memory, with TLS and without.
"""

import argparse
import asyncio
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.figures import memory_mib, show_each, write
from bench.gateway import load
from bench.gateway.load import FAILURES, CannotMeasure
from bench.gateway.servers import GATEWAY
from bench.gateway.usage import Usage
from bench.tls import clients
from bench.tls.clients import TlsClients
from devstack import ports
from devstack.broker import Broker
from devstack.certificates import certificate_for_loopback
from devstack.probes import tcp_accepts
from devstack.processes import ROOT, Program
from devstack.proxies import PROXIES, Proxy

Figures = dict[str, Any]

_SERVER: Final = Path(__file__).with_name("server.py")
_MEMORY_CLIENTS: Final = 2_000


def main() -> None:
    """Measure, print tables and write JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench tls", description=__doc__)
    parser.add_argument("--proxy", nargs="+", choices=PROXIES, default=["nginx"])
    parser.add_argument("--browsers", type=int, default=10_000)
    parser.add_argument("--only", nargs="+", choices=("reconnect", "memory"), default=None)
    parser.add_argument("--output", type=Path, default=ROOT / ".bench" / "tls.json")
    given = parser.parse_args()
    only = given.only or ("reconnect", "memory")
    try:
        load.build()
        clients.build()
        figures = asyncio.run(_all(given.proxy if "reconnect" in only else [], given.browsers))
        if "memory" in only:
            figures["memory"] = asyncio.run(_memory())
    except CannotMeasure as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    _show(figures)
    write(given.output, figures)
    print(f"written to {given.output}")


async def _all(proxies: list[str], browsers: int) -> Figures:
    found: Figures = {}
    for kind in proxies:
        try:
            for name, figures in (await _reconnect(kind, browsers)).items():
                found.setdefault("reconnect", {})[f"{kind}, {name}"] = figures
        except FAILURES as error:
            print(f"left out: {kind}: {error}")
    return found


async def _reconnect(kind: str, browsers: int) -> dict[str, Figures]:
    """Connect all through a proxy, and again after each of two restarts of the gateway."""
    found = {}
    async with Broker() as broker, GATEWAY.running(broker, pinned=False) as gateway:
        await gateway.publisher.publish(200, 0.5)
        with tempfile.TemporaryDirectory() as folder:
            async with (
                Proxy(kind, gateway.port, Path(folder)) as proxy,
                TlsClients.of(proxy.port, browsers, proxy.certificate) as crowd,
            ):
                assert proxy.pid is not None
                for name in ("first", "full handshakes", "resumed"):
                    if name != "first":
                        await gateway.program.stop()
                        await crowd.close()
                        await gateway.program.start()
                    before = Usage.of(proxy.pid), Usage.of(gateway.pid)
                    opened = await (crowd.resume() if name == "resumed" else crowd.connect())
                    after = Usage.of(proxy.pid), Usage.of(gateway.pid)
                    found[name] = {
                        **opened,
                        "proxy_cpu_s": after[0].since(before[0]).cpu_s,
                        "gateway_cpu_s": after[1].since(before[1]).cpu_s,
                        "proxy_kib_each": after[0].resident_bytes / 1024 / browsers,
                    }
    return found


async def _memory() -> dict[str, Figures]:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = certificate_for_loopback(Path(folder))
        for loop, size in (("uvloop", 200), ("uvloop", 65_536), ("asyncio", 200)):
            port = ports.free()
            program = Program(
                loop,
                [sys.executable, _SERVER, str(port), loop, str(size), certificate, key],
                ready=partial(tcp_accepts, ports.HOST, port),
            )
            async with program, TlsClients.of(port, _MEMORY_CLIENTS, certificate) as crowd:
                assert program.pid is not None
                before = memory_mib(program.pid)
                opened = await crowd.connect()
                await asyncio.sleep(1)
                grown = memory_mib(program.pid) - before
                found[f"{loop}, after a frame of {size} bytes"] = {
                    **opened,
                    "kib_each": grown * 1024 / _MEMORY_CLIENTS,
                    "cpu_us": Usage.of(program.pid).cpu_s / _MEMORY_CLIENTS * 1e6,
                }
    return found


def _show(figures: Figures) -> None:
    if "reconnect" in figures:
        show_each(
            "browsers that connect at once over TLS 1.3",
            (
                ("s", "seconds", "{:.2f}"),
                ("connected", "told", "{}"),
                ("failed", "failed", "{}"),
                ("resumed", "resumed", "{}"),
                ("CPU s: clients", "cpu_s", "{:.2f}"),
                ("proxy", "proxy_cpu_s", "{:.2f}"),
                ("gateway", "gateway_cpu_s", "{:.2f}"),
                ("KiB each", "proxy_kib_each", "{:.0f}"),
            ),
            figures["reconnect"],
        )
    if "memory" in figures:
        show_each(
            f"{_MEMORY_CLIENTS} idle connections over TLS 1.3 that Python serves itself",
            (
                ("open", "told", "{}"),
                ("KiB each", "kib_each", "{:.1f}"),
                ("CPU µs a connect", "cpu_us", "{:.0f}"),
            ),
            figures["memory"],
        )


if __name__ == "__main__":
    main()
