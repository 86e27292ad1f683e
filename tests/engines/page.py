"""What a test does with a page, in any engine."""

from typing import Any, Final, Protocol

from tests.waiting import eventually

WITHIN_S: Final = 40.0
"""For how long a test waits for a page: three engines start at once on a busy machine."""

ENTER: Final = "\ue007"
ESCAPE: Final = "\ue00c"
"""Key codes of WebDriver: https://www.w3.org/TR/webdriver/#keyboard-actions"""


class EnginePage(Protocol):
    """One page in a browser."""

    async def open(self, url: str) -> None:
        """Load an address, and wait until the document is complete."""

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, or of the promise that it is, as JSON."""

    async def resize(self, width: int, height: int) -> None:
        """Give the page this size in CSS pixels."""

    async def press(self, key: str) -> None:
        """Press and release a key: a character, or one of the key codes above."""

    async def faults(self) -> list[str]:
        """Return the errors and warnings of the console so far, with uncaught exceptions."""


def key_actions(key: str) -> list[dict[str, Any]]:
    """Return the actions that press and release a key; both protocols have them alike."""
    strokes = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
    return [{"type": "key", "id": "keyboard", "actions": strokes}]


async def until(page: EnginePage, expression: str, *, within_s: float = WITHIN_S) -> None:
    """Return when a JavaScript expression is true; fail after `within_s` with what is shown."""
    try:
        await eventually(lambda: page.evaluate(expression), expression, within_s=within_s)
    except AssertionError as error:
        shown = "[location.href, document.body.outerHTML.slice(0, 300), document.body.innerText]"
        error.add_note(str(await page.evaluate(shown)))
        raise


async def until_empty(
    page: EnginePage, expression: str, where: str, *, within_s: float = WITHIN_S
) -> None:
    """Return when a JavaScript expression is an empty list; fail after `within_s` with the list."""
    found: list[str] = []

    async def is_empty() -> bool:
        found[:] = await page.evaluate(expression)
        return not found

    try:
        await eventually(is_empty, where, within_s=within_s)
    except AssertionError as error:
        raise AssertionError(f"{error}: {found}") from None
