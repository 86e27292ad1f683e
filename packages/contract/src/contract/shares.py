"""Share links on MQTT: what is listed of a link, and that it was revoked."""

from typing import Annotated

import msgspec

from contract.wire_types import described

UnixSeconds = Annotated[int, described("Unix seconds.", minimum=0)]


class ShareRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is listed of a share link; it has no token, so it opens nothing.

    `expires` is absent for a link that never does.
    """

    id: Annotated[str, described("The link's id.", pattern="^[a-z0-9]{16}$")]
    pillows: list[str]
    created: UnixSeconds
    expires: UnixSeconds | None = None
    note: str = ""


class Revocation(msgspec.Struct, frozen=True):
    """A share link that opens nothing any more, and since when."""

    revoked: UnixSeconds
