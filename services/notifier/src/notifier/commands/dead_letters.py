"""The commands of `notifier dead-letters`."""

import json
import time
from collections.abc import Sequence
from typing import Any

from notifier.commands.context import fail, opened_outbox, warn, write_json, write_line
from notifier.detect.event import format_seconds
from notifier.outbox.delivery import Row

_SENT = "a notifier that runs sends them within a second or two, else after its next start"


def list_letters(*, as_json: bool) -> None:
    """Print each dead letter on a line."""
    with opened_outbox() as file:
        letters = file.dead_letters()
    if as_json:
        write_json([_summary(letter) for letter in letters])
        return
    if not letters:
        write_line("No dead letters.")
        return
    write_line(f"{'number':>6}  {'destination':<16}  {'rule':<16}  {'age':>7}  reason")
    for letter in letters:
        event = letter.event
        write_line(
            f"{letter.number:>6}  {letter.destination:<16}  {event.rule:<16}  "
            f"{format_seconds(_age_s(letter)):>7}  {letter.error}"
        )
        write_line(f"{'':>6}  {event.time}  {event.text}")


def show_letter(number: int) -> None:
    """Print one dead letter as JSON, with the event as it would be sent."""
    with opened_outbox() as file:
        letters = file.dead_letters(number)
    if not letters:
        fail(_not_found([number]))
    [letter] = letters
    event = letter.event
    document = {
        **_summary(letter),
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "data": event.data,
    }
    # ASCII, because an excerpt of a message may have anything.
    for line in json.dumps(document, indent=2).splitlines():
        write_line(line)


def retry_letters(numbers: Sequence[int] | None, *, as_json: bool) -> None:
    """Put dead letters back, all of them if no numbers are given."""
    with opened_outbox() as file:
        wanted = _wanted(numbers, file.dead_letters() if numbers is None else [])
        found = file.retry(wanted)
    _report("put back", found, wanted, as_json=as_json, then=_SENT)


def delete_letters(numbers: Sequence[int] | None, *, as_json: bool) -> None:
    """Delete dead letters for good, all of them if no numbers are given."""
    with opened_outbox() as file:
        wanted = _wanted(numbers, file.dead_letters() if numbers is None else [])
        found = file.delete(wanted)
    _report("deleted", found, wanted, as_json=as_json)


def _wanted(numbers: Sequence[int] | None, letters: Sequence[Row]) -> list[int]:
    """Return each number once, the oldest letter first, so that they are sent in their order."""
    return sorted(set(numbers if numbers is not None else (one.number for one in letters)))


def _report(
    done: str, found: Sequence[int], wanted: Sequence[int], *, as_json: bool, then: str = ""
) -> None:
    missing = [number for number in wanted if number not in found]
    if as_json:
        write_json({"done": list(found), "not_found": missing})
    else:
        write_line(f"{len(found)} {done}{f'; {then}' if then and found else ''}.")
    if missing:
        warn(_not_found(missing))
        raise SystemExit(1)


def _not_found(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:8]))
    return f"no dead letter has the number {shown}; see: notifier dead-letters list"


def _summary(letter: Row) -> dict[str, Any]:
    event = letter.event
    return {
        "number": letter.number,
        "destination": letter.destination,
        "rule": event.rule,
        "id": event.id,
        "time": event.time,
        "text": event.text,
        "reason": letter.error,
        "attempts": letter.attempts,
        "age_s": round(_age_s(letter)),
    }


def _age_s(letter: Row) -> float:
    return max(0.0, time.time() - letter.ended_ms / 1000)
