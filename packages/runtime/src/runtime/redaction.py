"""Redaction: text for people and logs without what looks like a secret. Pure.

A secret is a field of type `SecretStr` and is not written. This is for those that come another way:
in the text of a library's exception, or pasted into a setting that is no secret.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, unquote

REDACTED: Final = "***"

MIN_VALUE_LENGTH: Final = 8
"""A shorter value is not searched for, because it may be a part of any word."""

_NAMES: Final = (
    "access_token|accountkey|api[-_]?key|client_?secret|id_token|jwt|pass|passwd|password|pwd|"
    "refresh_token|secret|sig|signature|token"
)
_VALUE: Final = r"""[^\s;&,"'<>}\]]+"""
_PATTERNS: Final = (
    # The user and the password of a URL, which end at the last @ before the path.
    (re.compile(r"""(?<=://)[^/\s"'<>]*@"""), f"{REDACTED}@"),
    # A part of a connection string, and a parameter of a query.
    (re.compile(r"""(?i)(SharedAccessSignature=)[^\s;"']+"""), rf"\1{REDACTED}"),
    (re.compile(rf"(?i)(?<![a-z0-9])({_NAMES})={_VALUE}"), rf"\1={REDACTED}"),
    (re.compile(rf"(?i)([?&](?:code|key)=){_VALUE}"), rf"\1{REDACTED}"),
    # The header Authorization, and a subprotocol that carries a token.
    (
        re.compile(r"\b((?i:bearer|basic|sharedkey(?:lite)?))[ .](?=\S*[A-Z0-9])[\w.~+/:=-]{12,}"),
        rf"\1 {REDACTED}",
    ),
    # A JSON Web Token begins with the Base64 of `{"`.
    (re.compile(r"\beyJ[\w-]{4,}(\.[\w-]*){1,2}"), REDACTED),
    (re.compile(r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END|$)"), rf"\1{REDACTED}\2"),
)

_BARE_URL: Final = re.compile(r"mqtts?://[\w.:\[\]-]*/?")


class Redactor:
    """Replaces what looks like a secret, and the secrets that a process has."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """`secrets` are searched for as a whole, and by the parts of a URL or connection string."""
        forms = {form for secret in secrets for form in _forms(secret)}
        known = sorted((one for one in forms if len(one) >= MIN_VALUE_LENGTH), key=len)
        # The longest first, because one may be a part of another.
        self._known = re.compile("|".join(map(re.escape, reversed(known)))) if known else None

    def __call__(self, text: str) -> str:
        """Return the text without them."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


redact: Final = Redactor()
"""Replaces what looks like a secret, where a process does not know its own."""


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret and its parts, as they are, and as JSON or a URL contain them.

    The URL of a broker without a user has no secret, and logs have to name the broker.
    """
    whole = () if _BARE_URL.fullmatch(secret) else (secret,)
    for part in (*whole, *_parts(secret)):
        yield part
        yield json.dumps(part)[1:-1]
        yield quote(part, safe="")


def _parts(secret: str) -> Iterator[str]:
    """Yield the password of a URL, and the key or the signature of a connection string."""
    for found in re.findall(r"(?i)://[^/]*:([^/]*)@|(?:accountkey|sig)=([^;&]+)", secret):
        text = "".join(found)
        yield text
        yield unquote(text)
