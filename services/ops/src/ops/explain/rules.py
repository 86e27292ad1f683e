"""Rules: one cause each. They are pure, and yield nothing where they do not hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from contract.updates import Update
from ops.explain.ages import seconds_between
from ops.explain.facts import Facts
from runtime.note import Note

MIN_BEHIND_S: Final = 10.0
"""By how much a superseded state is older where the clock is to blame, and not the order."""

CLOCK_ADVICE: Final = "set the pillow's clock; or pillowcast remove it once, so that it begins anew"


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause: a word for programs, a sentence, and what to do."""

    code: str
    sentence: str
    advice: str = ""


def last_heard_ms(facts: Facts) -> int:
    """Return when the newest state of the pillow was queued or published; 0 for never."""
    times = [_time_of(facts.state)] if facts.state is not None else []
    times += [one.queued_ms or one.published_ms or 0 for one in facts.poller_reports if one.known]
    times += [
        facts.now_ms - one.silent_ms for one in facts.gateway_reports if one.silent_ms is not None
    ]
    return max(times, default=0)


def _time_of(state: Update) -> int:
    return state.queued_ms or state.published_ms or state.order[0] // 1000


def comes_by_queue(facts: Facts) -> bool:
    """Return whether the pillow uses the queue, or may: a state that nobody polled has no hops."""
    known = [one for one in facts.gateway_reports if one.known]
    if facts.state is None and not known:
        return True
    return any(one.queued_ms for one in (facts.state, *known) if one is not None)


def _gateways(facts: Facts) -> Iterator[Reason]:
    if facts.gateways and all(one.error is not None for one in facts.gateways):
        yield Reason(
            "gateway-down",
            f"no gateway can be asked: {facts.gateways[0].error}",
            "start the gateway; if it runs elsewhere, name it with --gateway",
        )


def _broker(facts: Facts) -> Iterator[Reason]:
    # Where a gateway has the broker, only this command cannot use it.
    has_broker = any(one.error is None and "mqtt" not in one.troubles for one in facts.gateways)
    if facts.broker is not None and facts.broker.error is not None and not has_broker:
        yield Reason(
            "broker-down",
            f"the broker cannot be used: {facts.broker.error}",
            "start the broker, or correct MQTT_URL and the password",
        )
        return
    for gateway in facts.gateways:
        if "mqtt" in gateway.troubles:
            yield Reason(
                "broker-lost",
                f"{gateway.name} has lost the broker: {gateway.troubles['mqtt']}",
                "correct what the sentence names, in the gateway's environment",
            )
            return


def _removed(facts: Facts) -> Iterator[Reason]:
    if facts.state is not None:
        return
    removed = _newest_note(facts, "removed")
    if removed is not None and removed.at_ms >= last_heard_ms(facts):
        yield Reason(
            "removed",
            f"it was removed {facts.since(removed.at_ms)}",
            "nothing: it is there again with its next state",
        )


def _availability(facts: Facts) -> Iterator[Reason]:
    for report in facts.gateway_reports:
        if report.grey == "offline":
            yield Reason(
                "offline",
                f"its availability is offline since {report.since or 'its last state'}: the pillow "
                "said so, or the broker did (last will) because its connection ended",
                "look at the pillow's power and network; it is back with its next state",
            )
            return
        if report.grey == "reported":
            yield Reason(
                "reported",
                f"it sent notconnected itself, with the time {report.at}",
                "look at the pillow: it says that its sensor does not work",
            )
            return


def _refused_message(facts: Facts) -> Iterator[Reason]:
    heard_ms = last_heard_ms(facts)
    refused = _newest_note(facts, "refused")
    if refused is not None and refused.at_ms > heard_ms:
        yield Reason(
            "refused",
            f"the gateway refused its message on MQTT {facts.since(refused.at_ms)}: {refused.text}",
            "correct what publishes it",
        )
    full = _newest_note(facts, "over-limit")
    if full is not None and full.at_ms > heard_ms:
        yield Reason(
            "over-limit", "the gateway knows as many pillows as it may", "raise GATEWAY_MAX_PILLOWS"
        )


def _pollers(facts: Facts) -> Iterator[Reason]:
    if not comes_by_queue(facts):
        return
    online = facts.broker.online.get("poller", []) if facts.broker is not None else []
    reached = [one for one in facts.pollers if one.error is None]
    if facts.pollers and not reached and not online:
        yield Reason(
            "poller-down",
            f"no poller runs: {facts.pollers[0].error}, and the broker has none online",
            "start the poller; what waits on the queue is shown then",
        )
    troubled = [one for one in reached if {"queue", "mqtt"} & one.troubles.keys()]
    if reached and len(troubled) == len(reached):
        poller = troubled[0]
        name = "queue" if "queue" in poller.troubles else "mqtt"
        what = "queue-down" if name == "queue" else "poller-without-broker"
        yield Reason(
            what,
            f"{poller.name} is not ready: {poller.troubles[name]}",
            "correct what the sentence names, in the poller's environment",
        )
    elif facts.queue is not None and facts.queue.error is not None and not reached:
        yield Reason(
            "queue-down",
            f"the queue cannot be read: {facts.queue.error}",
            "correct what the sentence names",
        )


def _broker_refuses(facts: Facts) -> Iterator[Reason]:
    for report in facts.poller_reports:
        if report.refused is not None:
            yield Reason(
                "broker-refuses",
                f"the broker refuses its states: {report.refused}",
                "correct the broker's ACL, or the user in the poller's MQTT_URL",
            )
            return


def dead_letters(facts: Facts) -> Iterator[Reason]:
    """Blame a dead letter that is newer than the last state."""
    heard_ms = last_heard_ms(facts)
    known = [
        (one.at_ms, one.letter or "", one.reason, one.detail)
        for report in facts.poller_reports
        for one in report.dead_letters
    ]
    if facts.queue is not None:
        known += [
            (facts.now_ms - round(one.age_s * 1000), one.id, one.reason, one.detail)
            for one in facts.queue.letters
        ]
    # The queue's time is cut to seconds.
    later = [one for one in known if one[0] > heard_ms - 1000]
    if later:
        at_ms, letter, reason, detail = max(later)
        yield Reason(
            "dead-letter",
            f"its newest message became a dead letter {facts.since(at_ms)}: {reason} ({detail})",
            f"correct what the pillow sends; pillowcast dead-letters show {letter}".rstrip(),
        )


def superseded(facts: Facts) -> Iterator[Reason]:
    """Blame a clock that is behind: the last that came is far older than the newest state."""
    for report in facts.poller_reports:
        for note in report.notes:
            behind_s = seconds_between(note.text, report.at)
            # A sign of life has the hops of the message that was superseded.
            is_last = note.at_ms > (report.queued_ms or 0) - 1000
            if note.kind == "superseded" and is_last and behind_s > MIN_BEHIND_S:
                yield Reason(
                    "superseded",
                    "its clock is behind: it sends states that are older than its newest one, "
                    f"which stays. The last of {note.count}, {facts.since(note.at_ms)}, has the "
                    f"time {note.text}, the newest {report.at}",
                    CLOCK_ADVICE,
                )
                return


def _waiting(facts: Facts) -> Iterator[Reason]:
    if facts.queue is not None and facts.queue.waiting_s:
        count, oldest_s = len(facts.queue.waiting_s), max(facts.queue.waiting_s)
        if oldest_s > 15:
            yield Reason(
                "waiting",
                f"{count} of its messages wait on the queue, the oldest for {oldest_s:.0f} s",
                "see whether the poller is ready and keeps up: pillowcast doctor",
            )


def silent_or_unknown(facts: Facts) -> Iterator[Reason]:
    """Blame the pillow itself: nothing else is wrong."""
    heard_ms = last_heard_ms(facts)
    if heard_ms:
        yield Reason(
            "silent",
            f"the last that came from it was {facts.since(heard_ms)}, and every part of the way "
            "works: no message waits, and none became a dead letter since",
            "look at the pillow: its power, its network, and whether its program runs",
        )
        return
    like = f"; known are {', '.join(facts.similar)}" if facts.similar else ""
    yield Reason(
        "never-heard",
        f"no part of the way has ever heard of {facts.pillow}{like}",
        "check its id, and that it uses this queue or broker: QUEUE_NAME, TOPIC_PREFIX",
    )


def tokens(facts: Facts) -> Iterator[Reason]:
    """Blame a token that does not permit the pillow."""
    for gateway in facts.gateways:
        if gateway.refusal is not None:
            yield Reason(
                "token",
                f"{gateway.name} refuses the token: {gateway.refusal}",
                "give the viewer a token or a share link that has this pillow: pillowcast share",
            )
            return
    for gateway in facts.gateways:
        refused = gateway.report.refused_clients if gateway.report is not None else []
        if refused:
            yield Reason(
                "token-refused",
                f"{gateway.name} refused a client {facts.since(refused[0].at_ms)} "
                f"({refused[0].code}): {refused[0].reason}",
                "give that viewer a token or a share link that has this pillow: pillowcast share",
            )
            return


RULES: Final[tuple[Callable[[Facts], Iterator[Reason]], ...]] = (
    _removed,
    _broker,
    _pollers,
    _broker_refuses,
    dead_letters,
    superseded,
    _waiting,
    _refused_message,
    _availability,
    _gateways,
)
"""Every rule, the first cause first."""


def _newest_note(facts: Facts, kind: str) -> Note | None:
    notes = [note for report in facts.gateway_reports for note in report.notes if note.kind == kind]
    return max(notes, key=lambda one: one.at_ms, default=None)
