"""Why a gateway shows a pillow grey, in one word. Pure."""

from typing import Literal, NamedTuple

from contract.states import NOT_CONNECTED

Grey = Literal["silent", "offline", "reported"]
"""`silent`: nothing came for GATEWAY_EXPIRE_AFTER; `offline`: its availability says so;
`reported`: the pillow itself sent `notconnected`."""


class Presence(NamedTuple):
    """What is known of a pillow: the state that is shown, and the one that it sent last."""

    shown: str
    sent: str
    is_silent: bool
    is_offline: bool


def why_grey(presence: Presence) -> Grey | None:
    """Return why a pillow is grey; None if it is not."""
    if presence.shown != NOT_CONNECTED:
        return None
    if presence.is_offline:
        return "offline"
    return "reported" if presence.sent == NOT_CONNECTED and not presence.is_silent else "silent"
