"""The command `pillowcast-conformance`."""

import argparse
import asyncio
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import TypeVar

import aiomqtt

from conformance.client import runner as clients
from conformance.gateway import runner as gateways
from conformance.gateway.target import Target, command, connect_publisher
from conformance.published import Published
from conformance.result import Result, shown

S = TypeVar("S")

_EXAMPLES = """\
examples:
  pillowcast-conformance list
  pillowcast-conformance gateway --url http://localhost:8080 --mqtt mqtt://user:password@localhost
  pillowcast-conformance gateway --url … --mqtt … --profile auth --secret "$GATEWAY_JWT_SECRET"
  pillowcast-conformance gateway --url … --mqtt … --restart 'docker compose restart gateway'
  pillowcast-conformance client node adapters/javascript.mjs
  pillowcast-conformance client --transport websocket python my_adapter.py
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    root = argparse.ArgumentParser(
        "pillowcast-conformance",
        description="Run golden sessions against a gateway or a client of Pillowcast.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = root.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list the sessions with what each is about")
    _add_gateway(commands.add_parser("gateway", help="run the sessions for gateways"))
    _add_client(commands.add_parser("client", help="run the sessions for clients"))
    return root


def _add_gateway(command: argparse.ArgumentParser) -> None:
    command.add_argument("--url", required=True, help="the gateway, as http://host:port")
    command.add_argument(
        "--mqtt",
        required=True,
        help="its broker, as mqtt://user:password@host:port; the user may write every pillow",
    )
    command.add_argument("--prefix", default="pillow", help="TOPIC_PREFIX of the gateway")
    command.add_argument(
        "--profile",
        default="open",
        choices=["open", "auth", "full"],
        help="how the gateway is set up: see the README",
    )
    command.add_argument("--secret", default="", help="the key of its tokens, for --profile auth")
    command.add_argument("--restart", help="a command that restarts the gateway")
    command.add_argument("--broker-stop", help="a command that stops its broker")
    command.add_argument("--broker-start", help="a command that starts its broker again")
    command.add_argument(
        "--strict", action="store_true", help="a field that no schema has is a fault"
    )
    _add_common(command)


def _add_client(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--transport",
        action="append",
        choices=["websocket", "events"],
        help="only this one; may be repeated",
    )
    _add_common(command)
    command.add_argument(
        "program", nargs=argparse.REMAINDER, help="the program under test with its arguments"
    )


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--session", action="append", help="only this session; may be repeated")
    command.add_argument("--json", action="store_true", help="print the results as JSON")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0 if everything conforms, 1 if not, 2 if it cannot be tried."""
    options = parser().parse_args(arguments)
    if options.command == "list":
        for name, session in gateways.read_sessions().items():
            print(f"gateway  {session.profile:5} {name}: {session.about}")
        for name, one in clients.read_sessions().items():
            print(f"client         {name}: {one.about}")
        return 0
    try:
        run = _gateway(options) if options.command == "gateway" else _client(options)
        results = asyncio.run(run)
    except (aiomqtt.MqttError, LookupError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([one._asdict() for one in results], indent=2))
    else:
        print(shown(results))
    return 0 if all(one.passed is not False for one in results) else 1


async def _gateway(options: argparse.Namespace) -> list[Result]:
    sessions = _chosen(gateways.read_sessions(), options.session)
    lines = {
        "restart": options.restart,
        "broker-stop": options.broker_stop,
        "broker-start": options.broker_start,
    }
    async with connect_publisher(options.mqtt, options.prefix) as publisher:
        target = Target(
            options.url.rstrip("/"),
            publisher,
            Published(strict=options.strict),
            options.secret,
            {name: command(line) for name, line in lines.items() if line},
        )
        await target.check()
        return await gateways.run_sessions(sessions, target, profile=options.profile)


async def _client(options: argparse.Namespace) -> list[Result]:
    if not options.program:
        raise LookupError("no program is given: pillowcast-conformance client COMMAND …")
    return await clients.run_sessions(
        _chosen(clients.read_sessions(), options.session),
        shlex.join(options.program),
        Published(),
        transports=options.transport or ("websocket", "events"),
    )


def _chosen(sessions: Mapping[str, S], names: Sequence[str] | None) -> Mapping[str, S]:
    """Return the sessions of these names. Raises LookupError."""
    if not names:
        return sessions
    unknown = set(names) - set(sessions)
    if unknown:
        raise LookupError(f"no session is called {', '.join(sorted(unknown))}; see `list`")
    return {name: sessions[name] for name in names}


if __name__ == "__main__":
    sys.exit(main())
