"""The command line of `gateway`: its commands and options.

The exit status is 0 when it was done, 1 when it was not, and 2 for wrong usage or settings.
"""

import asyncio
import sys
import time
from collections.abc import Coroutine
from typing import Annotated, Any

import jwt
import typer
from pydantic import SecretStr

from gateway.auth.scope import Scope, parse_scope
from gateway.auth.shares import is_share_id, parse_duration
from gateway.commands.share_links import COMMAND, list_shares, share, unshare
from gateway.settings import GatewaySettings
from runtime.command_line import command_line, version_option
from runtime.command_names import command_name
from runtime.lifecycle import exit_with_usage
from runtime.mqtt import BrokerLost, PublishRefused
from runtime.redaction import redact
from runtime.settings import SettingsError
from runtime.startup import load_for_command

app = command_line()

Pillows = Annotated[
    list[str],
    typer.Argument(metavar="PILLOW...", help="Ids, and prefixes like ward-*; * for all."),
]
Lifetime = Annotated[str, typer.Option("--for", metavar="TIME", help="30m, 12h, 7d or 2w.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output, a line each.")]


@app.callback()
def gateway(
    version: Annotated[bool, version_option(COMMAND)] = False,
) -> None:
    """Forward pillow states from MQTT to browsers; without a command, until a signal.

    Settings are read from the environment; .env.example lists them.

    \b
    Examples:
      gateway
      GATEWAY_PORT=9090 MQTT_URL=mqtts://gateway@broker.example.org gateway
      gateway share cloud-1 --for 7d
    """


@app.command("share")
def share_(
    pillows: Pillows,
    lasts: Lifetime = "7d",
    forever: Annotated[
        bool, typer.Option("--forever", help="A link without an end, for a display.")
    ] = False,
    note: Annotated[str, typer.Option(help="What `shares` shows of it; who got it, say.")] = "",
) -> None:
    """Print a link that lets whoever has it look at some pillows, until it ends.

    The settings are the gateway's: GATEWAY_SHARE_KEY, GATEWAY_PUBLIC_URL, MQTT_URL, TOPIC_PREFIX.

    \b
    Examples:
      gateway share cloud-1 'ward-*' --for 7d --note 'the night shift'
      gateway share '*' --forever --note 'the display in the hall'
    """
    settings = _settings()
    key = _secret(settings.share_key, "GATEWAY_SHARE_KEY")
    lasts_s = None if forever else _duration(lasts)
    _run(share(settings, _scope(pillows), key=key, lasts_s=lasts_s, note=note))


@app.command()
def shares(json: Json = False) -> None:
    """List the share links: id, pillows, how long, note.

    \b
    Examples:
      gateway shares
      gateway shares --json
    """
    _run(list_shares(_settings(), as_json=json))


@app.command("unshare")
def unshare_(share_id: Annotated[str, typer.Argument(metavar="ID", help="As shown.")]) -> None:
    """Revoke a share link; every gateway ends its connections within a second.

    \b
    Examples:
      gateway shares
      gateway unshare k3f9a0c1d2e4b5x7
    """
    if not is_share_id(share_id):
        exit_with_usage(COMMAND, f"{share_id!r} is no id of a share link; see {_list()}")
    if not _run(unshare(_settings(), share_id)):
        _fail(f"there is no share link {share_id}; see {_list()}")


@app.command()
def token(pillows: Pillows, lasts: Lifetime = "1h") -> None:
    """Print a token for development, signed with GATEWAY_JWT_SECRET.

    \b
    Examples:
      gateway token '*' --for 1h
      gateway token cloud-1 'ward-*'
    """
    settings = _settings()
    key = _secret(settings.jwt_secret, "GATEWAY_JWT_SECRET")
    now_s = int(time.time())
    claims: dict[str, Any] = {
        "iat": now_s,
        "exp": now_s + _duration(lasts),
        "pillows": _scope(pillows).patterns,
    }
    if settings.jwt_issuer:
        claims["iss"] = settings.jwt_issuer
    if settings.jwt_audience:
        claims["aud"] = settings.jwt_audience
    sys.stdout.write(jwt.encode(claims, key, algorithm="HS256") + "\n")


def run() -> None:
    """Run the command line."""
    app()


def _settings() -> GatewaySettings:
    return load_for_command(COMMAND, GatewaySettings.load, level="error")


def _secret(secret: SecretStr | None, name: str) -> str:
    if secret is None:
        exit_with_usage(COMMAND, f"{name} is not set; `openssl rand -base64 33` prints a good one")
    return secret.get_secret_value()


def _scope(pillows: list[str]) -> Scope:
    scope = parse_scope(pillows)
    if isinstance(scope, str):
        exit_with_usage(COMMAND, scope.replace("the claim pillows", "the list of pillows"))
    return scope


def _duration(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        exit_with_usage(COMMAND, str(error))


def _run(command: Coroutine[Any, Any, Any]) -> Any:
    try:
        return asyncio.run(command)
    except SettingsError as error:
        _fail(str(error))
    except (BrokerLost, PublishRefused) as error:
        _fail(f"the broker did not take it: {error}; check MQTT_URL and the broker's ACL")
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _list() -> str:
    return f"`{command_name(COMMAND)} shares`"


def _fail(message: str) -> None:
    sys.stderr.write(redact(f"{command_name(COMMAND)}: {message}\n"))
    raise SystemExit(1)
