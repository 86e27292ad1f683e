"""The command `pillowcast-conformance`."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence

import aiomqtt

from conformance.gateway.runner import read_sessions, run_sessions
from conformance.gateway.target import Target, command, connect_publisher
from conformance.published import Published
from conformance.result import Result, shown

_EXAMPLES = """\
examples:
  pillowcast-conformance list
  pillowcast-conformance gateway --url http://localhost:8080 --mqtt mqtt://user:password@localhost
  pillowcast-conformance gateway --url … --mqtt … --profile auth --secret "$GATEWAY_JWT_SECRET"
  pillowcast-conformance gateway --url … --mqtt … --restart 'docker compose restart gateway'
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
    gateway = commands.add_parser("gateway", help="run the sessions for gateways")
    gateway.add_argument("--url", required=True, help="the gateway, as http://host:port")
    gateway.add_argument(
        "--mqtt",
        required=True,
        help="its broker, as mqtt://user:password@host:port; the user may write every pillow",
    )
    gateway.add_argument("--prefix", default="pillow", help="TOPIC_PREFIX of the gateway")
    gateway.add_argument(
        "--profile",
        default="open",
        choices=["open", "auth", "full"],
        help="how the gateway is set up: see the README",
    )
    gateway.add_argument("--secret", default="", help="the key of its tokens, for --profile auth")
    gateway.add_argument("--restart", help="a command that restarts the gateway")
    gateway.add_argument("--broker-stop", help="a command that stops its broker")
    gateway.add_argument("--broker-start", help="a command that starts its broker again")
    gateway.add_argument("--session", action="append", help="only this session; may be repeated")
    gateway.add_argument(
        "--strict", action="store_true", help="a field that no schema has is a fault"
    )
    gateway.add_argument("--json", action="store_true", help="print the results as JSON")
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0 if everything conforms, 1 if not, 2 if it cannot be tried."""
    options = parser().parse_args(arguments)
    if options.command == "list":
        for name, session in read_sessions().items():
            print(f"gateway  {session.profile:5} {name}: {session.about}")
        return 0
    try:
        results = asyncio.run(_gateway(options))
    except (aiomqtt.MqttError, LookupError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([one._asdict() for one in results], indent=2))
    else:
        print(shown(results))
    return 0 if all(one.passed is not False for one in results) else 1


async def _gateway(options: argparse.Namespace) -> list[Result]:
    sessions = read_sessions()
    if options.session:
        unknown = set(options.session) - set(sessions)
        if unknown:
            raise LookupError(f"no session is called {', '.join(sorted(unknown))}; see `list`")
        sessions = {name: sessions[name] for name in options.session}
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
        return await run_sessions(sessions, target, profile=options.profile)


if __name__ == "__main__":
    sys.exit(main())
