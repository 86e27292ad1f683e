"""What is around a value in the environment and does not belong to it. Pure."""

import re
from typing import Final

_SERVICE_LINK: Final = re.compile(r"(?:tcp|udp|sctp)://.+:\d+")


def cleaned(text: str) -> str:
    """Return a value without blanks, line breaks and quotes around it.

    `docker run --env-file` keeps quotes, a secret that was made by `echo` ends with a line break,
    and a file written on Windows has carriage returns.
    """
    text = text.strip().strip("\ufeff\0").strip()
    while len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return text


def is_service_link(name: str, value: str) -> bool:
    """Return whether Kubernetes set a variable, because a Service has the name before `_PORT`."""
    return name.endswith("_PORT") and _SERVICE_LINK.fullmatch(value) is not None
