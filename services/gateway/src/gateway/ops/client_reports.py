"""Client reports: which clients are connected, what they follow, and how far behind they are."""

import heapq
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import msgspec

from contract.cursors import Cursor
from gateway.auth.grants import Grant
from gateway.auth.scope import Scope
from gateway.fanout.positions import Progress, ResumeFrom, ResumePoint
from gateway.fanout.subscriptions import Filter
from gateway.state.state_store import StateStore
from gateway.transport.connection import ClientConnection
from gateway.transport.connections import ConnectionRegistry
from gateway.transport.context import peer_address
from gateway.transport.unread import unread_bytes
from runtime.clocks import unix_ms

MAX_NAMES: Final = 20
"""How many names of a filter a report has."""

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class Follows(msgspec.Struct, frozen=True):
    """What a client follows: all pillows, or `count` ids and prefixes, of which some are named."""

    all: bool
    count: int
    names: list[str]


class ClientReport(msgspec.Struct, frozen=True):
    """One client.

    `state` is `live`, `waiting` (a snapshot or catch-up is under way) or `paused` (it does not
    read). `backlog_bytes` were sent and not acknowledged by its system. `lag` is by how many
    changes of the stream its cursor is behind, 0 for a live one. `pauses` counts how often it read
    too slowly, and then got the newest states instead of each.
    """

    id: str
    address: str | None
    peer: str | None
    transport: str
    encoding: str
    follows: Follows
    state: str
    connected_s: float
    backlog_bytes: int
    lag: int
    pauses: int
    share: str | None
    token_expires_s: float | None


class ClientPage(msgspec.Struct, frozen=True):
    """Clients in the order in which they connected; `next` is the `after` of the next page."""

    total: int
    clients: list[ClientReport]
    next: str | None


class ClientReports:
    """Reports on the clients of a registry."""

    def __init__(self, registry: ConnectionRegistry, store: StateStore) -> None:
        self._registry = registry
        self._store = store

    def page(self, after: str, limit: int) -> ClientPage:
        """Return up to `limit` clients that connected after the one with the id `after`."""
        bound_us = parse_client_id(after) or 0
        clients = _connections(self._registry.clients)
        behind = (one for one in clients if one.opened_us > bound_us)
        found = heapq.nsmallest(limit + 1, behind, key=lambda one: one.opened_us)
        following = client_id(found[limit - 1]) if len(found) > limit else None
        reports = [self.report(one) for one in found[:limit]]
        return ClientPage(len(self._registry.clients), reports, following)

    def find(self, text: str, departed: Iterable[object] = ()) -> ClientConnection | None:
        """Return the client with an id, also one of those that have left; None if there is none."""
        opened_us = parse_client_id(text)
        clients = _connections(chain(self._registry.clients, departed))
        return next((one for one in clients if one.opened_us == opened_us), None)

    def report(self, client: ClientConnection) -> ClientReport:
        """Return what is known of a client now."""
        grant, filter = client.grant, client.group.filter if client.group is not None else None
        return ClientReport(
            client_id(client),
            client.quota.address or peer_address(client.transport),
            peer_address(client.transport),
            client.kind,
            str(client.encoding),
            describe_filter(filter),
            _state(client),
            round((self._registry.age_us - client.opened_us) / 1e6, 3),
            _backlog(client),
            self._lag(client),
            client.pauses,
            None if grant is None else grant.share,
            _left_s(grant),
        )

    def _lag(self, client: ClientConnection) -> int:
        if client.is_live:
            return 0
        return max(0, self._store.cursor.offset - position(client.resume_from))


def _connections(clients: Iterable[object]) -> Iterator[ClientConnection]:
    return (one for one in clients if isinstance(one, ClientConnection))


def position(resume_from: ResumeFrom) -> int:
    """Return the offset up to which a client that is not live has been sent everything."""
    if isinstance(resume_from, Progress):
        return resume_from.walk.position
    if isinstance(resume_from, ResumePoint | Cursor):
        return resume_from.offset
    return 0


def client_id(client: ClientConnection) -> str:
    """Return the id by which operators name a client: when it connected, in base 36."""
    number, text = client.opened_us, ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text or "0"


def parse_client_id(text: str) -> int | None:
    """Return the number of an id; None if it is none."""
    if not 0 < len(text) <= 13 or not set(text) <= set(_DIGITS):
        return None
    return int(text, len(_DIGITS))


def describe_filter(filter: Filter) -> Follows:
    """Return what a filter lets through."""
    if filter is None:
        return Follows(True, 0, [])
    names = filter.patterns if isinstance(filter, Scope) else heapq.nsmallest(MAX_NAMES, filter)
    size = len(names) if isinstance(filter, Scope) else len(filter)
    return Follows(False, size, names[:MAX_NAMES])


def _state(client: ClientConnection) -> str:
    if client.is_paused:
        return "paused"
    return "live" if client.is_live else "waiting"


def _backlog(client: ClientConnection) -> int:
    if client.transport.is_closing():
        return 0  # its descriptor may be another one's
    try:
        return unread_bytes(client.transport, client.descriptor)
    except OSError:
        return 0  # it is being closed


def _left_s(grant: Grant | None) -> float | None:
    if grant is None or grant.expires_ms is None:
        return None
    return round((grant.expires_ms - unix_ms()) / 1000, 1)
