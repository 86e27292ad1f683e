"""`pillowcast doctor`: is everything well, and what to do where it is not."""

from enum import StrEnum
from typing import Annotated

import typer

from ops.commands.options import GatewayUrl, Json, NotifierUrl, PollerUrl, run_and_exit
from ops.doctor.examination import examine
from ops.doctor.plan import checks_of
from ops.doctor.service_checks import IN_EFFECT
from ops.doctor.subject import load_subject
from ops.findings import Finding, Level, exit_status
from ops.rendering import OUT, print_findings, progress, write_json
from runtime.version import version_of


class Service(StrEnum):
    """A service that has a port of its own."""

    POLLER = "poller"
    GATEWAY = "gateway"
    NOTIFIER = "notifier"


def doctor(
    poller: PollerUrl = None,
    gateway: GatewayUrl = None,
    notifier: NotifierUrl = None,
    service: Annotated[
        list[Service] | None,
        typer.Option(help="Look at this service alone; may be given twice.", show_default=False),
    ] = None,
    all_: Annotated[
        bool,
        typer.Option(
            "--all", help="Show also settings with their defaults, and running services'."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Check settings, queues, broker, services, clocks, certificates and rights, all at once.

    One line each, with what to do. The settings are those of the services, from the environment.
    Nothing is taken from the queue, and nothing that a service reads is written.
    It ends within ten seconds. The exit status is 0 if all is well, 1 if not, 2 for wrong usage.

    \b
    Examples:
      pillowcast doctor
      pillowcast doctor --all --json | jq '.findings[] | select(.level == "wrong")'
      pillowcast doctor --service poller
      pillowcast doctor --gateway http://10.0.0.7:8082
    """
    services = frozenset(map(str, service or Service))
    run_and_exit("doctor", _doctor((poller, gateway, notifier), services, all_=all_, json=json))


async def _doctor(
    urls: tuple[str | None, str | None, str | None],
    services: frozenset[str],
    *,
    all_: bool,
    json: bool,
) -> int:
    poller, gateway, notifier = urls
    subject, settings = load_subject(poller, gateway, services, notifier)
    checks = checks_of(subject)
    with progress("checking", len(checks), wanted=not json) as bar:
        # The tasks of rich have numbers.
        examined = await examine(checks, lambda _area: bar.advance(bar.task_ids[0]))
    findings = [*settings.list, *examined]
    if json:
        write_json(
            {"ok": not exit_status(findings), "version": version_of("ops"), "findings": findings}
        )
    else:
        _print(findings, all_=all_)
    return exit_status(findings)


def _print(findings: list[Finding], *, all_: bool) -> None:
    shown = [one for one in findings if all_ or not _is_plain_setting(one)]
    print_findings(shown)
    hidden = len(findings) - len(shown)
    if hidden:
        OUT.print(
            f"{hidden} settings are not shown (defaults, and those of running services): --all "
            "shows them",
            style="dim",
        )
    wrong = sum(one.level is Level.WRONG for one in findings)
    if wrong:
        OUT.print(f"{wrong} wrong, of {len(findings)} checked", style="bold red")
    else:
        OUT.print(f"all is well: {len(findings)} checked", style="bold green")


def _is_plain_setting(finding: Finding) -> bool:
    """Return whether a line is a setting's that nobody set here."""
    is_default = finding.area == "settings" and "(default;" in finding.detail
    return is_default or finding.detail.endswith(IN_EFFECT)
