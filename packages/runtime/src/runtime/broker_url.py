"""The URL of an MQTT broker: address, TLS, and credentials."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from runtime.tls import TlsFiles

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker's address. `repr` and `str` never contain the password."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls_files: TlsFiles = field(default_factory=TlsFiles)

    def __str__(self) -> str:
        scheme = "mqtts" if self.tls else "mqtt"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


def parse_broker_url(url: str) -> BrokerAddress:
    """Parse `mqtt://[user[:password]@]host[:port]`, or `mqtts://` for TLS.

    Raises ValueError with a sentence that does not repeat the URL, because it may hold a password.
    """
    if has_control_character(url):
        raise ValueError("contains a line break or a control character; write it on one line")
    parts = _value_or_none(lambda: urlsplit(url))
    if parts is None:
        raise ValueError("is not of the form mqtt://user:password@host:port")
    if parts.scheme not in ("mqtt", "mqtts"):
        raise ValueError("starts with neither mqtt:// nor mqtts://")
    host = parts.hostname
    if not host or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("is not of the form mqtt://user:password@host:port")
    if _value_or_none(lambda: host.encode("idna")) is None:
        raise ValueError("has a host that is not a host name: a part of it is empty or too long")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if has_control_character(user + password):
        raise ValueError(
            "has a line break or a control character in its user or password, such as %0A; remove "
            "it"
        )
    tls = parts.scheme == "mqtts"
    usual = 8883 if tls else 1883
    port = _value_or_none(lambda: usual if parts.port is None else parts.port)
    if port is None:
        raise ValueError("has a port that is not a number from 1 to 65535")
    if port == 0:
        raise ValueError("has port 0; name the broker's port, or none for the usual one")
    return BrokerAddress(
        host,
        port,
        tls,
        user or None,
        password or None,
    )


def has_control_character(text: str) -> bool:
    """Return whether `text` has a line break or another control character."""
    return any(ord(character) < 32 or ord(character) == 127 for character in text)


def _value_or_none(read: Callable[[], _Value]) -> _Value | None:
    """Return the value; None instead of a ValueError, because its text repeats the URL."""
    try:
        return read()
    except ValueError:
        return None
