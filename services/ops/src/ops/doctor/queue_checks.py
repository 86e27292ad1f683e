"""Checks of the queues: address, credential, rights, dead letters. Nothing is taken or added."""

from typing import TYPE_CHECKING, Final

from azure_queue.errors import (
    MessageNotFound,
    PopReceiptMismatch,
    QueueDenied,
    QueueNotFound,
    QueueUnavailable,
)
from ops.doctor.subject import Subject
from ops.findings import Findings
from ops.queue_view import QueuePage, opened, read_page

if TYPE_CHECKING:
    from azure_queue.storage_queue import StorageQueue

MANY_DEAD_LETTERS: Final = 1_000
OLD_MESSAGE_S: Final = 60.0
"""A message that has waited longer and is not leased says that no poller receives."""

_NO_MESSAGE: Final = "00000000-0000-0000-0000-000000000000"
_NO_RECEIPT: Final = "AgAAAAMAAAAAAAAAAAAAAAAAAAA="
_WRONG_TTL_S: Final = -2
"""The service refuses it after it has checked the right to add messages."""


async def check_queues(subject: Subject, found: Findings) -> None:
    """Check both queues of the settings."""
    settings = subject.queues
    if settings is None:
        found.unknown("address", "the settings cannot be used")
        return
    try:
        async with opened(settings) as (states, poison):
            found.asked = f"the queue service ({states.name}, {poison.name})"
            page = await _read(states, "QUEUE_NAME", found)
            if page is None:
                return
            letters = await _read(poison, "POISON_QUEUE_NAME", found)
            _add_waiting(page, found)
            if letters is not None:
                _add_dead_letters(letters, found)
                await _check_right(poison, "add dead letters", found)
            await _check_right(states, "take messages", found)
    except (QueueUnavailable, QueueDenied) as error:
        found.wrong("connection", str(error))


async def _read(queue: "StorageQueue", setting: str, found: Findings) -> QueuePage | None:
    try:
        page = await read_page(queue)
    except QueueDenied as error:
        if "lacks a right" not in str(error):
            raise
        found.note(queue.name, "may not be read with this credential", "give it the right to read")
        return QueuePage(0)
    if page.count is None:
        found.wrong(
            queue.name,
            "there is no such queue",
            f"start a poller, which creates it, or correct {setting}",
        )
        return None
    found.ok(queue.name, f"{page.count} messages")
    return page


def _add_waiting(page: QueuePage, found: Findings) -> None:
    oldest_s = max(map(page.age_s, page.messages), default=0.0)
    if oldest_s > OLD_MESSAGE_S:
        found.wrong(
            "waiting messages",
            f"the oldest has waited for {oldest_s:.0f} s",
            "see whether a poller runs and is ready: pillowcast doctor, lines `poller`",
        )
    elif page.messages:
        found.ok("waiting messages", f"the oldest has waited for {oldest_s:.0f} s")


def _add_dead_letters(page: QueuePage, found: Findings) -> None:
    count = page.count or 0
    if count >= MANY_DEAD_LETTERS:
        found.wrong(
            "dead letters",
            f"about {count}; nobody looks after them",
            "pillowcast dead-letters list; then replay, or export and delete them",
        )
    elif count:
        found.note("dead letters", f"about {count}", "pillowcast dead-letters list says why")
    else:
        found.ok("dead letters", "none")


async def _check_right(queue: "StorageQueue", what: str, found: Findings) -> None:
    """Ask for something that the service refuses only after it has checked the right."""
    try:
        if what == "take messages":
            await queue.delete(_NO_MESSAGE, _NO_RECEIPT)
        else:
            await queue.put("", _WRONG_TTL_S)
    except (MessageNotFound, PopReceiptMismatch, QueueNotFound):
        pass
    except QueueDenied as error:
        if " 400 " not in f" {error} ":
            found.wrong(f"right to {what}", str(error))
            return
    found.ok(f"right to {what}", queue.name)
