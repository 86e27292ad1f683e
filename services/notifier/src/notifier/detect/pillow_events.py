"""What events of pillows say. Pure."""

from contract.states import STATES
from contract.updates import Update
from notifier.detect.event import Found, format_seconds
from notifier.detect.pillow import Moment, Pillow
from notifier.detect.state_fields import state_fields
from notifier.rules.schema import Rule


def state_event(rule: Rule, update: Update, previous: str | None) -> Found:
    """Return that a pillow is in a state, or has been for as long as the rule says."""
    data = state_fields(update)
    if previous is not None:
        data["previous"] = previous
    if rule.lasts_s:
        data["for_seconds"] = rule.lasts_s
    replacements = {"previous": previous or "unknown"}
    replacements |= {name: str(data.get(name, "")) for name in ("pillow", "state", "at")}
    text = f"{update.pillow}: {STATES[update.state].label}"
    if rule.lasts_s:
        text += f", for {format_seconds(rule.lasts_s)}"
    return Found(
        rule, "pillow.state", update.pillow, update.order, update.order[0], text, data,
        update.pillow, replacements,
    )  # fmt: skip


def offline_event(rule: Rule, name: str, pillow: Pillow, silent_ms: int, now: Moment) -> Found:
    """Return that nothing was heard of a pillow for too long."""
    update = pillow.update
    data = {
        "pillow": name,
        "silent_seconds": silent_ms // 1000,
        "evidence": "availability" if pillow.is_offline else "silence",
    }
    if update is not None:
        data["last"] = state_fields(update)
    silent_for = format_seconds(silent_ms / 1000)
    text = f"{name} is offline: nothing was heard of it for {silent_for}"
    replacements = {"pillow": name, "silent_for": silent_for}
    replacements["state"] = "unknown" if update is None else update.state
    return Found(
        rule, "pillow.offline", name, (now.wall_ms,), now.wall_ms * 1000, text, data, name,
        replacements,
    )  # fmt: skip


def back_event(rule: Rule, name: str, pillow: Pillow, silent_ms: int, now: Moment) -> Found:
    """Return that a pillow was heard of again."""
    update = pillow.update
    data = {"pillow": name, "silent_seconds": silent_ms // 1000}
    if update is not None:
        data["now"] = state_fields(update)
    return Found(
        rule, "pillow.back", name, (now.wall_ms,), now.wall_ms * 1000, f"{name} is back", data, name
    )
