"""Lines: what each part of the way knows, for a person. Pure."""

from collections.abc import Iterator

from contract.timestamps import format_timestamp
from ops.explain.ages import ago
from ops.explain.facts import BrokerFacts, Facts, GatewayFacts, PollerFacts, QueueFacts


def lines_of(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield a part of the way and what it knows, in the order of the way."""
    yield "pillow", _pillow(facts)
    if facts.queue is not None:
        yield "queue", _queue(facts.queue)
    for poller in facts.pollers:
        yield poller.name, _poller(facts, poller)
    if facts.broker is not None:
        yield "broker", _broker(facts, facts.broker)
    for gateway in facts.gateways:
        yield gateway.name, _gateway(gateway)


def _pillow(facts: Facts) -> str:
    state = facts.state
    if state is not None:
        at_us = state.order[0]
        age = facts.since(at_us // 1000)
        return f"its newest state is {state.state}, {age} ({format_timestamp(at_us)})"
    for report in facts.gateway_reports:
        if report.known:
            return f"its newest state is {report.last}, of {report.at}"
    return "nothing is known that it sent"


def _queue(queue: QueueFacts) -> str:
    if queue.error is not None:
        return queue.error
    if queue.count is None:
        return "there is no such queue"
    waiting = (
        f"{len(queue.waiting_s)} of this pillow wait" if queue.waiting_s else "none of it waits"
    )
    oldest = f", the oldest for {queue.oldest_s:.0f} s" if queue.oldest_s >= 1 else ""
    named = len(queue.letters)
    letters = f"; {named} dead letter{'s name' if named > 1 else ' names'} it" if named else ""
    return f"{queue.count} messages{oldest}; {waiting}{letters}"


def _poller(facts: Facts, poller: PollerFacts) -> str:
    if poller.error is not None:
        return poller.error
    report = poller.report
    parts = [f"{name}: {why}" for name, why in poller.troubles.items()]
    if report is None or not report.known:
        parts.append("has published no state of it")
    else:
        published = _since_publication(facts, report.published_ms)
        parts.append(f"published {report.state} {published}, with the time {report.at}")
    if report is not None:
        if report.refused:
            parts.append(f"the broker refuses: {report.refused}")
        parts += [
            f"{one.count} {one.kind}, the last {facts.since(one.at_ms)}" for one in report.notes
        ]
        if report.dead_letters:
            last = report.dead_letters[0]
            parts.append(f"a dead letter {facts.since(last.at_ms)}: {last.reason}")
    return "; ".join(parts)


def _broker(facts: Facts, broker: BrokerFacts) -> str:
    if broker.error is not None:
        return broker.error
    parts = []
    if broker.state is not None:
        published = _since_publication(facts, broker.state.published_ms)
        parts.append(f"retains {broker.state.state}, published {published}")
    elif broker.invalid is not None:
        parts.append(f"retains a state that cannot be read: {broker.invalid}")
    else:
        parts.append("retains no state")
    if broker.availability:
        parts.append(f"availability {broker.availability}")
    for service in ("poller", "gateway"):
        online, offline = broker.online.get(service, []), broker.offline.get(service, [])
        names = ", ".join(online) or "none"
        parts.append(
            f"{service}s online: {names}" + (f" ({len(offline)} offline)" if offline else "")
        )
    return "; ".join(parts)


def _gateway(gateway: GatewayFacts) -> str:
    if gateway.error is not None:
        return gateway.error
    report = gateway.report
    parts = [f"{name}: {why}" for name, why in gateway.troubles.items()]
    if report is None or not report.known:
        parts.append("does not know it")
    else:
        silent = ago((report.silent_ms or 0) / 1000)
        grey = f" ({report.grey}, since {report.since})" if report.grey else ""
        parts.append(f"shows {report.state}{grey}; last heard {silent}")
    notes = report.notes if report is not None else []
    parts += [f"{one.kind} {one.count} times{': ' + one.text if one.text else ''}" for one in notes]
    return "; ".join(parts)


def _since_publication(facts: Facts, published_ms: int | None) -> str:
    return facts.since(published_ms) if published_ms else "once"
