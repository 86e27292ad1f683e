"""The operator's page: what a gateway knows now, as one HTML document without a script."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape
from typing import Final, NamedTuple

from gateway.ops.client_reports import ClientPage, ClientReport, Follows
from gateway.ops.limit_reports import LimitReport
from gateway.ops.pillow_report import PillowPage, PillowReport, RefusedClient
from runtime.health import is_ok, limitation_of
from runtime.redaction import redact

REFRESH_S: Final = 5

_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem;max-width:80rem;color-scheme:light dark}"
    "h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:1.8rem}table{border-collapse:collapse}"
    "th,td{text-align:left;padding:.15rem .9rem .15rem 0;vertical-align:top}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}.bad{color:#c62828;font-weight:600}"
    ".warn{color:#b26a00;font-weight:600}.good{color:#2e7d32}code{font-size:.95em}"
    "@media(prefers-color-scheme:dark){.bad{color:#ff8a80}.warn{color:#ffc069}.good{color:#9ccc9c}}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

PAGE_HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Refresh": str(REFRESH_S),
}
"""No script, nothing from elsewhere, and no frame around it."""

_LINKS: Final = (
    "<p><a href='metrics'>metrics</a> · <a href='readyz'>readiness</a> · "
    "<a href='ops/about'>settings</a> · <a href='ops/clients'>clients</a> · "
    "<a href='ops/pillows'>pillows</a>, as JSON. In a terminal: <code>pillowcast doctor</code>, "
    "<code>pillowcast explain PILLOW</code>, <code>pillowcast trace-client ID</code>.</p>"
)

_WHY: Final = {
    "silent": "nothing came for GATEWAY_EXPIRE_AFTER",
    "offline": "its availability is offline",
    "reported": "it sent notconnected itself",
}


class Overview(NamedTuple):
    """What the page shows."""

    instance: str
    version: str
    dependencies: Mapping[str, str]
    limits: list[LimitReport]
    clients: ClientPage
    grey: PillowPage
    refused: list[RefusedClient]


def render_page(overview: Overview) -> str:
    """Return the document."""
    title = f"gateway {overview.instance}"
    parts = [
        f"<h1>{escape(title)} <small>{escape(overview.version)}</small></h1>",
        _LINKS,
        _section("Dependencies", ("", "state"), map(_dependency, overview.dependencies.items())),
        _section("Limits", ("", "used", "of", "", "setting"), map(_limit, overview.limits)),
        _section(
            f"Clients: {overview.clients.total}",
            ("id", "address", "by", "follows", "state", "connected", "backlog", "behind", "pauses"),
            map(_client, overview.clients.clients),
            more=overview.clients.next is not None,
        ),
        _section(
            f"Grey pillows, of {overview.grey.total}",
            ("pillow", "why", "last state", "silent for"),
            map(_pillow, overview.grey.pillows),
            more=overview.grey.next is not None,
        ),
        _section(
            "Refused lately",
            ("code", "reason", "address"),
            (_row([str(one.code), one.reason, one.peer or ""]) for one in overview.refused),
        ),
    ]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _section(title: str, heads: Iterable[str], rows: Iterable[str], *, more: bool = False) -> str:
    body = "".join(rows)
    if not body:
        return f"<h2>{escape(title)}</h2><p>none</p>"
    head = "".join(f"<th scope='col'>{escape(one)}</th>" for one in heads)
    rest = "<p>and more: the JSON has all of them</p>" if more else ""
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{body}</table>{rest}"


def _row(cells: Iterable[str], kind: str = "") -> str:
    first, *rest = (f"<td>{escape(one)}</td>" for one in cells)
    marked = first.replace("<td>", f"<td class='{kind}'>") if kind else first
    return f"<tr>{marked}{''.join(rest)}</tr>"


def _dependency(item: tuple[str, str]) -> str:
    name, state = item
    kind = "bad" if not is_ok(state) else "warn" if limitation_of(state) else "good"
    return f"<tr><td>{escape(name)}</td><td class='{kind}'>{escape(redact(state))}</td></tr>"


def _limit(report: LimitReport) -> str:
    size = "no limit" if report.size is None else f"{report.size:,}"
    share = f"{report.share:.0%}" if report.size else ""
    return _row(
        [report.what, f"{report.used:,}", size, share, report.setting],
        "warn" if report.is_near else "",
    )


def _client(client: ClientReport) -> str:
    cells = [
        client.id,
        client.address or "",
        client.transport,
        follows_text(client.follows),
        client.state,
        duration(client.connected_s),
        f"{client.backlog_bytes:,} B",
        f"{client.lag:,}",
        f"{client.pauses:,}",
    ]
    return _row(cells, "warn" if client.state == "paused" else "")


def _pillow(pillow: PillowReport) -> str:
    why = _WHY.get(pillow.grey or "", pillow.grey or "")
    silent = "" if pillow.silent_ms is None else duration(pillow.silent_ms / 1000)
    return _row([pillow.pillow, why, pillow.last or "", silent])


def follows_text(follows: Follows) -> str:
    """Return what a client follows, in a few words."""
    if follows.all:
        return "all pillows"
    shown = ", ".join(follows.names[:3])
    return shown if follows.count <= 3 else f"{shown} and {follows.count - 3} more"


def duration(seconds: float) -> str:
    """Return a duration in one unit."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
