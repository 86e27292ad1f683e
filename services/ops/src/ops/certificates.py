"""Certificates: until when those of servers and clients are valid."""

import asyncio
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates


async def server_days_left(host: str, port: int, context: ssl.SSLContext) -> float:
    """Return for how many days the certificate of a server is valid.

    Raises OSError, an ssl.SSLError among them, if there is no TLS with a trusted certificate.
    """
    _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    try:
        certificate = writer.get_extra_info("peercert") or {}
    finally:
        writer.transport.abort()
    expires = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return (expires - time.time()) / 86_400


def file_days_left(path: str) -> float:
    """Return for how many days the first certificate of a PEM file is valid.

    Raises OSError or ValueError.
    """
    certificate = load_pem_x509_certificates(Path(path).read_bytes())[0]
    return (certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds() / 86_400
