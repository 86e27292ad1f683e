"""The literals of a rules file: durations, pillows, URLs and signing secrets. Pure.

A function raises ValueError with the end of a sentence that begins with the key.
"""

import base64
import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import urlsplit

from contract.pillow_patterns import PillowPatterns, is_pillow_pattern
from runtime.networks import Address, address_of

MAX_URL_CHARACTERS: Final = 2048
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - no secret itself
MIN_SECRET_BYTES: Final = 24
MAX_SECRET_BYTES: Final = 64
"""The sizes that Standard Webhooks allows: 192 to 512 bits."""

_DURATION: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*(ms|s|m|h|d)")
_UNIT_S: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
MAX_DURATION_S: Final = 366 * 86_400.0

_UNICAST: Final = IPv6Network("2000::/3")
"""The addresses of the public internet (RFC 4291 §2.4, IANA). Others are local, translate to an
IPv4 address, which may be a private one, or are kept for later."""

# Of those, one that contains an IPv4 address (RFC 3056), and documentation (RFC 9637).
_NOT_PUBLIC: Final = (IPv6Network("2002::/16"), IPv6Network("3fff::/20"))

# Relays of 6to4 (RFC 7526), and what Azure tells its virtual machines about themselves.
_NOT_PUBLIC_IPV4: Final = (IPv4Network("192.88.99.0/24"), IPv4Network("168.63.129.16/32"))


def parse_duration(text: str) -> float:
    """Return the seconds of a duration like 500ms, 30s, 5m, 12h or 7d."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError("is no duration: like 30s, 5m, 12h or 7d")
    seconds = float(match[1]) * _UNIT_S[match[2]]
    if seconds > MAX_DURATION_S:
        raise ValueError("is longer than a year")
    return seconds


def parse_pillows(names: list[str]) -> PillowPatterns:
    """Return the pillows of ids (`cloud-1`) and of prefixes that end with `*` (`ward-*`)."""
    for name in names:
        if not is_pillow_pattern(name):
            raise ValueError(
                f"has {name!r}, which is neither a pillow's id nor a prefix like ward-*"
            )
    return PillowPatterns.of(names)


def parse_secrets(text: str) -> tuple[bytes, ...]:
    """Return the keys of signing secrets, one a line; the sentence does not show them."""
    keys = []
    for line in text.split():
        try:
            key = base64.b64decode(line.removeprefix(SECRET_PREFIX), validate=True)
        except ValueError:
            key = b""
        is_size = MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES
        if not (line.startswith(SECRET_PREFIX) and is_size):
            raise ValueError(
                f"has a line that is no secret: {SECRET_PREFIX} and the Base64 of "
                f'{MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes; echo "{SECRET_PREFIX}$(openssl '
                'rand -base64 32)" prints a good one'
            )
        keys.append(key)
    if not keys:
        raise ValueError("is empty")
    return tuple(keys)


def check_url(url: str, *, allows_private: bool) -> None:
    """Check the address of a destination; the sentence does not show it, it may be a secret."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is no URL") from None
    if len(url) > MAX_URL_CHARACTERS or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"is no URL of at most {MAX_URL_CHARACTERS} printable ASCII characters")
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError("is no URL that begins with https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("has a user in it; write a token to a file and name it as token_file")
    if parts.fragment:
        raise ValueError("has a fragment (#), which is never sent; remove it")
    if parts.scheme == "http" and not allows_private:
        raise ValueError("is not encrypted; use https://, or private = true in your own network")
    address = address_of(host)
    if address is not None and not allows_private and is_private(address):
        raise ValueError("has an address of a private network; private = true allows it")


def is_private(address: Address) -> bool:
    """Return whether an address is not one of the public internet."""
    if isinstance(address, IPv6Address):
        if address not in _UNICAST or any(address in one for one in _NOT_PUBLIC):
            return True
    elif any(address in one for one in _NOT_PUBLIC_IPV4):
        return True
    return not address.is_global or address.is_multicast
