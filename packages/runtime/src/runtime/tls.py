"""The TLS files of a client, read anew when they have changed."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger()

WATCH_INTERVAL_S: Final = 30.0
"""How often the files are looked at, so that a wrong one is reported before it is needed."""

_UNKNOWN_ISSUER: Final = (2, 18, 19, 20, 21)
"""OpenSSL's codes for a certificate whose authority is not trusted."""
_HOSTNAME_MISMATCH: Final = (62, 64)
_EXPIRED: Final = 10

_Stamps = tuple[tuple[int, int, int], ...]


class TlsFilesUnusable(OSError):
    """A TLS file cannot be read; the message names it."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files: trusted authorities, the client's certificate, and its key.

    Without `ca` the system's authorities are trusted. A certificate may have its key in its file.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that are given."""
        return tuple(path for path in (self.ca, self.certificate, self.key) if path is not None)


def tls_context(files: TlsFiles = TlsFiles()) -> ssl.SSLContext:
    """Return the context that verifies certificate and host name, of the files as they are now.

    Raises TlsFilesUnusable.
    """
    return _load(files, _stamps(files))


@asynccontextmanager
async def watched(files: TlsFiles, interval_s: float = WATCH_INTERVAL_S) -> AsyncIterator[None]:
    """Meanwhile, log when the files have changed, and when they cannot be used any more."""
    watching = asyncio.create_task(_watch(files, interval_s)) if files.paths else None
    try:
        yield
    finally:
        if watching is not None:
            watching.cancel()


async def _watch(files: TlsFiles, interval_s: float) -> None:
    known = await asyncio.to_thread(_look, files)
    while True:
        await asyncio.sleep(interval_s)
        found = await asyncio.to_thread(_look, files)
        if found == known:
            continue
        known = found
        if isinstance(found, str):
            log.warning("changed TLS files cannot be used; the connection stays", error=found)
        else:
            log.info("TLS files have changed; the next connection uses them", files=files.paths)


def verification_advice(error: OSError) -> str:
    """Return what to check after a refused certificate, as the end of a sentence; else nothing."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return ""
    if error.verify_code in _UNKNOWN_ISSUER:
        return "; set MQTT_TLS_CA to the certificate of the broker's authority"
    if error.verify_code in _HOSTNAME_MISMATCH:
        return "; the host in MQTT_URL must be a name in the broker's certificate"
    if error.verify_code == _EXPIRED:
        return "; renew the broker's certificate"
    return ""


def _look(files: TlsFiles) -> _Stamps | str:
    """Return the stamps of files that can be used, or why they cannot."""
    try:
        stamps = _stamps(files)
        _load(files, stamps)
    except TlsFilesUnusable as error:
        return str(error)
    return stamps


def _stamps(files: TlsFiles) -> _Stamps:
    stamps = []
    for path in files.paths:
        try:
            found = Path(path).stat()
        except OSError as error:
            raise TlsFilesUnusable(f"{path}: {error.strerror}") from None
        stamps.append((found.st_mtime_ns, found.st_size, found.st_ino))
    return tuple(stamps)


# The stamps are a parameter so that changed files are read again.
@lru_cache(maxsize=4)
def _load(files: TlsFiles, _stamps: _Stamps) -> ssl.SSLContext:
    if files.ca is None:
        context = ssl.create_default_context()
    else:
        try:
            context = ssl.create_default_context(cafile=files.ca)
        except OSError as error:
            raise TlsFilesUnusable(
                f"MQTT_TLS_CA {files.ca} has no certificate that can be read ({error})"
            ) from None
    if files.certificate is not None:
        try:
            # Without a password, because OpenSSL would ask for one on the terminal.
            context.load_cert_chain(files.certificate, files.key, password="")
        except OSError as error:
            raise TlsFilesUnusable(
                f"MQTT_TLS_CERT {files.certificate} and its key {files.key or 'in the same file'} "
                f"cannot be used ({error})"
            ) from None
    return context
