"""`pillowcast explain`: why is this pillow grey?"""

from typing import Annotated

import typer

from ops.commands.options import (
    GatewayUrl,
    Json,
    PollerUrl,
    PublicUrl,
    Token,
    checked_pillow,
    run_and_exit,
)
from ops.doctor.subject import Subject, load_subject
from ops.endpoints import page_of
from ops.explain.facts import Facts
from ops.explain.lines import lines_of
from ops.explain.sources import (
    BrokerSource,
    GatewaySource,
    PollerSource,
    QueueSource,
    Source,
    gather,
)
from ops.explain.verdict import Verdict, why
from ops.rendering import OUT, clean, print_findings, print_line, write_json
from runtime.clocks import unix_ms


def explain(
    pillow: Annotated[str, typer.Argument(metavar="PILLOW", help="Its id, like cloud-1.")],
    token: Token = None,
    poller: PollerUrl = None,
    gateway: GatewayUrl = None,
    page: PublicUrl = None,
    json: Json = False,
) -> None:
    """Say why a pillow is grey: what queue, poller, broker and gateway know of it, and when.

    The first reason is the cause. With --token it is also tried whether a viewer may see it.
    The exit status is 0 if the pillow is not grey, 1 if it is, 2 for wrong usage.

    \b
    Examples:
      pillowcast explain cloud-1
      pillowcast explain cloud-1 --json | jq .reasons
      pillowcast explain cloud-1 --token "$TOKEN"
    """
    checked_pillow("explain", pillow)
    run_and_exit("explain", _explain(pillow, token, (poller, gateway, page), json=json))


async def _explain(
    pillow: str, token: str | None, urls: tuple[str | None, str | None, str | None], *, json: bool
) -> int:
    poller_url, gateway_url, page_url = urls
    subject, settings = load_subject(poller_url, gateway_url, frozenset(("poller", "gateway")))
    facts = Facts(pillow, unix_ms())
    await gather(facts, sources_of(subject, page_url, token))
    facts.now_ms = unix_ms()
    verdict = why(facts)
    if json:
        write_json(_document(facts, verdict))
    else:
        print_findings(one for one in settings.list if one.level == "wrong")
        _print(facts, verdict)
    return 0 if verdict.is_grey is False and not _has_token_reason(verdict) else 1


def sources_of(subject: Subject, page_url: str | None, token: str | None) -> list[Source]:
    """Return the sources that the settings name."""
    sources: list[Source] = []
    if subject.poller is not None:
        sources.append(QueueSource(subject.poller))
    if subject.common is not None:
        sources.append(BrokerSource(subject.common))
    for endpoint in subject.endpoints:
        if endpoint.service == "poller":
            sources.append(PollerSource(endpoint))
        else:
            sources.append(GatewaySource(endpoint, page_url or page_of(subject.gateway), token))
    return sources


def _has_token_reason(verdict: Verdict) -> bool:
    return any(one.code == "token" for one in verdict.reasons)


def _print(facts: Facts, verdict: Verdict) -> None:
    words = {True: ("grey", "bold red"), False: ("not grey", "bold green"), None: ("?", "bold")}
    word, style = words[verdict.is_grey]
    OUT.print(f"{facts.pillow}: {word}", style=style)
    for number, reason in enumerate(verdict.reasons):
        OUT.print(clean(f"{'also' if number else 'why'}: {reason.sentence}"))
        if reason.advice:
            OUT.print(clean(f"  → {reason.advice}"), style="cyan")
    for part, text in lines_of(facts):
        print_line(part, text)


def _document(facts: Facts, verdict: Verdict) -> object:
    return {
        "pillow": facts.pillow,
        "grey": verdict.is_grey,
        "reasons": verdict.reasons,
        "known": [{"part": part, "says": clean(text)} for part, text in lines_of(facts)],
    }
