"""Schemas of what the ports for operators answer, made from the types of the services.

`contract` imports no service, so it reads them from a file that `devstack.documents` writes.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from contract.documents.schemas import schemas_of
from gateway.ops.client_reports import ClientPage, ClientReport
from gateway.ops.client_trace import TraceEvent
from gateway.ops.limit_reports import LimitReport
from gateway.ops.pillow_report import PillowPage, PillowReport, RefusedClient
from poller.ops.pillow_report import PillowReport as PollerPillowReport
from poller.settle.recent_dead_letter import RecentDeadLetter
from runtime.about import About


class ClientTrace(msgspec.Struct):
    """A client, and what it was sent since the last request."""

    client: ClientReport
    events: list[TraceEvent]


class Failure(msgspec.Struct):
    """Why there is no report, in a sentence for people."""

    error: str


# By the beginning of their names, because two services may have a type of one name.
TYPES: Final[dict[str, Sequence[Any]]] = {
    "Ops": (About, Failure),
    "Gateway": (ClientPage, ClientTrace, LimitReport, PillowPage, PillowReport, RefusedClient),
    "Poller": (PollerPillowReport, RecentDeadLetter),
}


def service_schemas() -> dict[str, Any]:
    """Return every schema by its name."""
    return {
        f"{prefix}{name}": _renamed(schema, prefix)
        for prefix, types in TYPES.items()
        for name, schema in schemas_of(types).items()
    }


def _renamed(node: Any, prefix: str) -> Any:
    if isinstance(node, list):
        return [_renamed(one, prefix) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        path, _, name = node["$ref"].rpartition("/")
        return {"$ref": f"{path}/{prefix}{name}"}
    return {key: _renamed(value, prefix) for key, value in node.items()}
