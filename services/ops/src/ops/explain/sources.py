"""Sources of facts: each asks one part of the way, and an error is a fact too.

A further part, such as a store of past states, is one more source: a class with `add_to`, a field
of `Facts`, and rules in `rules`.
"""

import asyncio
from collections.abc import Sequence
from difflib import get_close_matches
from http.client import HTTPException
from typing import Final, Protocol
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec

from azure_queue.errors import QueueDenied, QueueUnavailable
from azure_queue.settings import QueueSettings
from contract.topics import is_pillow_id
from gateway.ops.pillow_report import PillowPage
from gateway.ops.pillow_report import PillowReport as GatewayReport
from ops.broker_view import read_broker
from ops.endpoints import Endpoint, by_address
from ops.explain.facts import BrokerFacts, Facts, GatewayFacts, Letter, PollerFacts, QueueFacts
from ops.queue_view import opened, read_page
from ops.service_client import NoAnswer, ServiceView, fetch, look
from poller.ops.pillow_report import PillowReport as PollerReport
from poller.queues import DeadLetter
from poller.settings import PollerSettings
from poller.settle.dead_letter_report import report_on
from poller.settle.recent_dead_letters import named_pillow
from runtime.health import is_ok
from runtime.mqtt import BrokerLost, BrokerUnusable
from runtime.settings import CommonSettings

DEADLINE_S: Final = 6.0
"""How long a source may take."""


class Source(Protocol):
    """One part of the way."""

    async def add_to(self, facts: Facts) -> None:
        """Add what this part knows of the pillow."""


class QueueSource:
    """The queue and the poison queue, of which the first 32 messages are looked at."""

    def __init__(self, settings: PollerSettings) -> None:
        self._settings = settings

    async def add_to(self, facts: Facts) -> None:
        """Add what waits, and which dead letters name the pillow."""
        queue = facts.queue = QueueFacts(error=f"no answer within {DEADLINE_S:g} s")
        try:
            await self._read(self._settings, queue, facts.pillow)
            queue.error = None
        except (QueueUnavailable, QueueDenied) as error:
            queue.error = str(error)

    async def _read(self, settings: QueueSettings, queue: QueueFacts, pillow: str) -> None:
        async with opened(settings) as (states, poison):
            waiting, letters = await asyncio.gather(read_page(states), read_page(poison))
        queue.count = waiting.count
        queue.oldest_s = max(map(waiting.age_s, waiting.messages), default=0.0)
        queue.waiting_s = [
            waiting.age_s(one) for one in waiting.messages if self._pillow_of(one.text) == pillow
        ]
        for one in letters.messages:
            if self._pillow_of(one.text) != pillow:
                continue
            report = report_on(
                DeadLetter(one.id, one.inserted_us, one.dequeue_count, one.text),
                now_us=letters.now_us,
                default_pillow=self._settings.default_pillow,
                max_attempts=self._settings.max_attempts,
            )
            queue.letters.append(
                Letter(one.id, str(report.reason), report.detail, letters.age_s(one))
            )

    def _pillow_of(self, text: str) -> str | None:
        if text.lstrip().startswith("{"):
            return named_pillow(text)
        return self._settings.default_pillow


class BrokerSource:
    """What the broker retains."""

    def __init__(self, settings: CommonSettings) -> None:
        self._settings = settings

    async def add_to(self, facts: Facts) -> None:
        """Add state, availability, and which services are online."""
        broker = facts.broker = BrokerFacts(error=f"no answer within {DEADLINE_S:g} s")
        try:
            view = await read_broker(self._settings, facts.pillow)
        except (BrokerLost, BrokerUnusable) as error:
            broker.error = f"{self._settings.broker}: {error}"
            return
        broker.error = None
        broker.state = view.states.get(facts.pillow)
        broker.invalid = view.invalid.get(facts.pillow)
        broker.availability = view.availability.get(facts.pillow)
        for service in ("poller", "gateway"):
            broker.online[service] = view.instances(service)
            broker.offline[service] = view.instances(service, "offline")


class PollerSource:
    """Every poller behind an endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def add_to(self, facts: Facts) -> None:
        """Add the last write, superseded messages and dead letters."""
        for view in await look(self._endpoint):
            poller = PollerFacts(view.name, *_errors(view))
            facts.pollers.append(poller)
            if poller.error is None:
                path = f"/ops/pillows/{facts.pillow}"
                try:
                    poller.report = await fetch(view.endpoint, path, PollerReport)
                except NoAnswer as error:
                    poller.error = str(error)


class GatewaySource:
    """Every gateway behind an endpoint; `token` is tried on `public_url`, if there is one."""

    def __init__(self, endpoint: Endpoint, public_url: str, token: str | None) -> None:
        self._endpoint = endpoint
        self._public_url = public_url
        self._token = token

    async def add_to(self, facts: Facts) -> None:
        """Add what clients see, and why."""
        for view in await look(self._endpoint):
            gateway = GatewayFacts(view.name, *_errors(view))
            facts.gateways.append(gateway)
            if gateway.error is not None:
                continue
            try:
                path = f"/ops/pillows/{facts.pillow}"
                gateway.report = await fetch(view.endpoint, path, GatewayReport)
                if not gateway.report.known and not facts.similar:
                    facts.similar = await _similar(view.endpoint, facts.pillow)
            except NoAnswer as error:
                gateway.error = str(error)
        if self._token is not None and facts.gateways:
            page = await by_address(self._public_url)
            url = f"{page.rstrip('/')}/api/pillows/{facts.pillow}"
            facts.gateways[0].refusal = await asyncio.to_thread(_refusal_of, url, self._token)


async def gather(facts: Facts, sources: Sequence[Source], deadline_s: float = DEADLINE_S) -> None:
    """Ask all sources at once; what has not answered in time says so."""
    tasks = [asyncio.ensure_future(source.add_to(facts)) for source in sources]
    await asyncio.wait(tasks, timeout=deadline_s)
    for task in tasks:
        if task.done():
            task.result()
        else:
            task.cancel()


def _errors(view: ServiceView) -> tuple[str | None, dict[str, str]]:
    if view.error is not None or view.ready is None:
        return str(view.error), {}
    states = view.ready.dependencies
    return None, {name: one for name, one in states.items() if not is_ok(one)}


async def _similar(endpoint: Endpoint, pillow: str) -> list[str]:
    page = await fetch(endpoint, "/ops/pillows?limit=500", PillowPage)
    return get_close_matches(pillow, [one.pillow for one in page.pillows], n=3)


class _Problem(msgspec.Struct):
    """A problem document, as far as it is shown."""

    title: str = ""
    detail: str = ""


def _refusal_of(url: str, token: str) -> str | None:
    """Return why a token does not get a pillow from the gateway; None if it does."""
    assert is_pillow_id(url.rpartition("/")[2]), url
    request = Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - a setting
    try:
        with urlopen(request, timeout=DEADLINE_S / 2):  # noqa: S310
            return None
    except HTTPError as error:
        if error.code == 404:
            return None  # the token is good, and the pillow is not known
        try:
            problem = msgspec.json.decode(error.read(16_384), type=_Problem)
        except msgspec.MsgspecError:
            return f"{url} answers {error.code}"
        return problem.detail or problem.title or f"{error.code}"
    except (OSError, HTTPException) as error:
        return f"{url} cannot be reached ({error})"
