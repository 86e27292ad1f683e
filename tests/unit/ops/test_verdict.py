"""The verdict: each cause is found, and the one further up the way comes first."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.updates import Update
from gateway.ops.pillow_report import PillowReport as GatewayReport
from gateway.ops.pillow_report import RefusedClient
from ops.explain.facts import BrokerFacts, Facts, GatewayFacts, Letter, PollerFacts, QueueFacts
from ops.explain.lines import lines_of
from ops.explain.verdict import Verdict, why
from poller.ops.pillow_report import PillowReport as PollerReport
from poller.settle.recent_dead_letter import RecentDeadLetter
from runtime.note import Note

NOW_MS = 1_800_000_000_000
AGO_MS = NOW_MS - 60_000
STATE = Update("a", "hugging", (AGO_MS * 1000, 0), b"{}", AGO_MS, AGO_MS)


def shown(state: str = "notconnected", grey: str | None = "silent", **more: Any) -> GatewayReport:
    return GatewayReport(
        "a", True, state, "hugging", "2027-01-15T07:59:00Z", "2027-01-15T07:59:30Z", grey,
        60_000, AGO_MS, AGO_MS, **more,
    )  # fmt: skip


def known(**more: Any) -> PollerReport:
    fields = {"refused": None, "notes": [], "dead_letters": [], **more}
    return PollerReport("a", True, "hugging", "2027-01-15T07:59:00Z", AGO_MS, AGO_MS, **fields)


UNKNOWN = GatewayReport("a", False)
NEVER = PollerReport("a", False, None, None, None, None, None, [], [])


def facts(
    *, gateway: GatewayReport | None = None, poller: PollerReport | None = None, **more: Any
) -> Facts:
    """Return those of a pillow that fell silent while everything works."""
    given = Facts(
        "a",
        NOW_MS,
        QueueFacts(count=0),
        BrokerFacts(state=STATE, online={"poller": ["p"], "gateway": ["g"]}),
        [PollerFacts("poller p", report=poller or known())],
        [GatewayFacts("gateway g", report=gateway or shown())],
    )
    return replace(given, **more)


def codes(verdict: Verdict) -> list[str]:
    return [one.code for one in verdict.reasons]


def note(kind: str, text: str = "") -> Note:
    return Note(kind, text, NOW_MS - 1000, 3)


NOBODY = BrokerFacts(online={"poller": ["p"], "gateway": ["g"]})
LETTER = RecentDeadLetter(NOW_MS - 5000, "id-1", "a", "unknown-state", "state is 'dancing'")

CASES: dict[str, Facts] = {
    "silent": facts(),
    "never-heard": facts(gateway=UNKNOWN, poller=NEVER, broker=NOBODY, similar=["b"]),
    "offline": facts(gateway=shown(grey="offline", offline=True)),
    "reported": facts(gateway=shown(grey="reported")),
    "removed": facts(
        gateway=GatewayReport("a", False, notes=[note("removed")]), poller=NEVER, broker=NOBODY
    ),
    "queue-down": facts(
        pollers=[PollerFacts("poller p", troubles={"queue": "no response"}, report=known())]
    ),
    "poller-without-broker": facts(
        pollers=[PollerFacts("poller p", troubles={"mqtt": "lost"}, report=known())]
    ),
    "poller-down": facts(
        pollers=[PollerFacts("poller p", error="nothing listens")],
        broker=BrokerFacts(state=STATE, online={"poller": [], "gateway": ["g"]}),
    ),
    "broker-lost": facts(
        gateways=[GatewayFacts("gateway g", troubles={"mqtt": "cannot connect"}, report=shown())]
    ),
    "broker-down": facts(
        broker=BrokerFacts(error="cannot connect"),
        gateways=[GatewayFacts("gateway g", troubles={"mqtt": "cannot connect"}, report=shown())],
    ),
    "broker-refuses": facts(poller=known(refused="Not authorized")),
    "dead-letter": facts(poller=known(dead_letters=[LETTER])),
    "superseded": facts(poller=known(notes=[note("superseded", "2026-01-01T00:00:00Z")])),
    "waiting": facts(queue=QueueFacts(count=4, waiting_s=[40.0, 3.0])),
    "refused": facts(gateway=shown(notes=[note("refused", "not JSON")])),
    "over-limit": facts(gateway=GatewayReport("a", False, notes=[note("over-limit")])),
    "gateway-down": facts(gateways=[GatewayFacts("gateway g", error="nothing listens")]),
}


@pytest.mark.parametrize("code", CASES)
def test_the_cause_comes_first_with_something_to_do(code: str) -> None:
    verdict = why(CASES[code])

    assert codes(verdict)[0] == code
    assert verdict.reasons[0].advice
    assert verdict.is_grey is (None if code == "gateway-down" else True)
    assert next(part for part, _ in lines_of(CASES[code])) == "pillow"


def test_a_dead_letter_of_the_poison_queue_is_found_without_the_poller() -> None:
    letter = Letter("id-2", "malformed", "not JSON", 5.0)
    given = facts(queue=QueueFacts(count=0, letters=[letter]))

    [reason] = why(given).reasons
    assert (reason.code, "show id-2" in reason.advice) == ("dead-letter", True)


def test_an_older_dead_letter_is_no_reason() -> None:
    old = RecentDeadLetter(AGO_MS - 60_000, "id-1", "a", "malformed", "")

    assert codes(why(facts(poller=known(dead_letters=[old])))) == ["silent"]


def test_a_pillow_that_speaks_mqtt_does_not_need_the_queue() -> None:
    direct = Update("a", "hugging", (AGO_MS * 1000, 0), b"{}", None, None)
    report = GatewayReport("a", True, "notconnected", "hugging", None, None, "silent", 60_000)
    given = facts(
        gateway=report,
        broker=BrokerFacts(state=direct),
        queue=QueueFacts(error="no response"),
        pollers=[PollerFacts("poller p", error="nothing listens")],
    )

    assert codes(why(given)) == ["silent"]


def test_a_broker_that_only_this_command_cannot_use_is_not_the_cause() -> None:
    assert codes(why(facts(broker=BrokerFacts(error="Not authorized")))) == ["silent"]


def test_a_pillow_that_is_not_grey_is_said_so_with_what_is_wrong_with_it() -> None:
    live = shown("hugging", None)
    behind = known(notes=[note("superseded", "2026-01-01T00:00:00Z")])
    refused = [RefusedClient(NOW_MS - 1000, 4403, "the token does not permit 'a'", None)]

    assert why(facts(gateway=live)).is_grey is False
    assert codes(why(facts(gateway=live, poller=behind))) == ["not-grey", "superseded"]
    assert codes(why(facts(gateway=shown("hugging", None, refused_clients=refused)))) == [
        "not-grey",
        "token-refused",
    ]
    token = [GatewayFacts("gateway g", report=live, refusal="the token expired")]
    assert codes(why(facts(gateways=token))) == ["not-grey", "token"]


@given(
    st.sampled_from([None, *CASES.values()]),
    st.sampled_from([None, *CASES.values()]),
    st.sampled_from(list(CASES.values())),
)
def test_there_is_always_a_reason(queue: Facts | None, broker: Facts | None, rest: Facts) -> None:
    """Whatever is known or not known together."""
    given = replace(
        rest,
        queue=None if queue is None else queue.queue,
        broker=None if broker is None else broker.broker,
        gateways=[],
    )

    for mixed in (given, replace(given, gateways=rest.gateways, pollers=[])):
        verdict = why(mixed)
        assert verdict.reasons
        assert all(text for _, text in lines_of(mixed))
