"""The command `notifier check`: validates settings and rules, and sends a test event."""

import asyncio
import os
import secrets
from collections.abc import Sequence

from contract.timestamps import format_timestamp
from notifier.commands.context import fail, load_rules, load_settings, write_json, write_line
from notifier.deliver.http_sender import HttpSender
from notifier.deliver.retry_policy import Answer
from notifier.deliver.worker import send
from notifier.detect.event import Event, event_source
from notifier.outbox.delivery import Delivery
from notifier.rules.rule_table import DURATION_KEYS
from notifier.rules.schema import Destination, Rule, RuleBook
from runtime.clocks import unix_ms
from runtime.lifecycle import exit_with_usage


def check(destinations: Sequence[str], *, sends: bool, as_json: bool) -> None:
    """Print what the rules file says, and how each test event ended."""
    settings = load_settings()
    rules = load_rules(settings)
    unknown = [name for name in destinations if name not in rules.destinations]
    if unknown:
        known = ", ".join(rules.destinations)
        exit_with_usage("notifier check", f"there is no destination {unknown[0]!r}; use {known}")
    folder = settings.outbox.absolute().parent
    if not os.access(folder, os.W_OK):
        fail(f"NOTIFIER_OUTBOX = {settings.outbox}: {folder} is no folder that can be written")
    if not as_json:
        write_line(f"{settings.rules}: {len(rules.rules)} rules")
        for rule in rules.rules:
            write_line(f"  {rule.name}: {_describe(rule)}")
        for name in rules.destinations:
            if not any(name in rule.to for rule in rules.rules):
                write_line(f"  no rule names the destination {name}")
    if not sends:
        if as_json:
            write_json({"rules": [rule.name for rule in rules.rules], "sent": {}})
        return
    event = _test_event(event_source(settings.topic_prefix))
    answers = asyncio.run(_send_all(rules, destinations or list(rules.destinations), event))
    failed = {name: one.error for name, one in answers.items() if one.error}
    if as_json:
        sent = {name: failed.get(name, "delivered") for name in answers}
        write_json({"rules": [rule.name for rule in rules.rules], "sent": sent})
    else:
        for name in answers:
            host = rules.destinations[name].host
            write_line(f"  test event to {name} ({host}): {failed.get(name, 'delivered')}")
    if failed:
        raise SystemExit(1)


def _describe(rule: Rule) -> str:
    """Return a rule in a few words."""
    words = [rule.on, *sorted(rule.states), *sorted(rule.reasons)]
    if rule.lasts_s:
        words.append(f"{DURATION_KEYS[rule.on].replace('_', ' ')} {rule.lasts_s:g} s")
    return f"{' '.join(words)} → {', '.join(rule.to)}"


def _test_event(source: str) -> Event:
    wall_us = unix_ms() * 1000
    return Event(
        f"evt_{secrets.token_hex(16)}",
        source,
        "pillowcast.test",
        "test",
        format_timestamp(wall_us),
        "test",
        "Pillowcast: test",
        "This is a test event, sent by: notifier check --send",
        {},
    )


async def _send_all(rules: RuleBook, names: Sequence[str], event: Event) -> dict[str, Answer]:
    chosen = [rules.destinations[name] for name in names]
    answers = await asyncio.gather(*(_send(destination, event) for destination in chosen))
    return dict(zip(names, answers, strict=True))


async def _send(destination: Destination, event: Event) -> Answer:
    try:
        sender = HttpSender(destination)
    except ValueError as error:
        return Answer(None, f"ca_file {error}")
    try:
        return await send(sender, destination, Delivery(0, destination.name, event, 0.0))
    finally:
        await sender.close()
