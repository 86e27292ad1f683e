"""Checks of this machine: clock, journal, ports, and the key set of tokens."""

import asyncio
import errno
import os
import platform
import shutil
import ssl
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.auth.key_cache import FetchError, fetch_key_set
from gateway.settings import GatewaySettings
from ops.certificates import server_days_left
from ops.doctor.broker_checks import add_days_left
from ops.doctor.subject import Subject
from ops.findings import Findings
from ops.queue_view import opened
from runtime.version import version_of

MAX_QUEUE_SKEW_S: Final = 5.0
MIN_FREE_BYTES: Final = 64 * 1024 * 1024
"""A journal needs less; the disk that has less is about to be full."""

_PROBE_BYTES: Final = 65_536


async def check_machine(subject: Subject, found: Findings) -> None:
    """Check what belongs to this machine."""
    found.ok("version", f"pillowcast {version_of('ops')}, Python {platform.python_version()}")
    if subject.poller is not None:
        await asyncio.to_thread(check_journal, subject.poller.journal, found)
    await _check_clock(subject, found)


async def _check_clock(subject: Subject, found: Findings) -> None:
    if subject.queues is None:
        found.unknown("clock", "the queue's time is not known")
        return
    try:
        async with opened(subject.queues) as (states, _):
            found.asked = "the queue service, for its time,"
            before_s = time.time()
            properties = await states.properties()
            skew_s = (before_s + time.time()) / 2 - properties.service_time_us / 1e6
    except Exception:  # the checks of the queues say what is wrong
        found.unknown("clock", "the queue's time is not known, because the queue gives no answer")
        return
    # The service cuts its time to whole seconds.
    if abs(skew_s - 0.5) > MAX_QUEUE_SKEW_S:
        found.wrong(
            "clock",
            f"differs by {skew_s:+.0f} s from the queue's",
            "start the time service (NTP); from 15 minutes on Azure refuses signed requests",
        )
    else:
        found.ok("clock", "agrees with the queue's to a second or two")


def check_journal(folder: Path | None, found: Findings) -> None:
    """Check that the journal's folder can be written to, and that its disk has room."""
    if folder is None:
        found.note(
            "journal",
            "none: a power cut of broker and poller loses what the broker had not saved",
            "set POLLER_JOURNAL to a folder on a disk",
        )
        return
    if not folder.is_dir():
        found.wrong("journal", f"{folder} does not exist", "make it, for the poller's user")
        return
    try:
        free = shutil.disk_usage(folder).free
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(b"\0" * _PROBE_BYTES)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        advice = (
            "make room on that disk, or raise the quota or the limit of file sizes"
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            else "let the poller's user write there"
        )
        found.wrong("journal", f"{folder} cannot be written ({error.strerror})", advice)
    else:
        if free < MIN_FREE_BYTES:
            found.wrong(
                "journal", f"{folder} has {free / 1e6:.0f} MB of room", "make room on that disk"
            )
        else:
            found.ok("journal", f"{folder} can be written, {free / 1e9:.1f} GB are free")


async def check_gateway_settings(settings: GatewaySettings | None, found: Findings) -> None:
    """Check what the gateway's settings name: the key set of tokens, and the public address."""
    if settings is None:
        return
    if settings.auth == "none":
        found.ok("tokens", "none are asked for: everybody may see everything")
    elif settings.jwt_key_url:
        try:
            keys = await asyncio.to_thread(fetch_key_set, settings.jwt_key_url)
        except FetchError as error:
            found.wrong("keys of tokens", str(error), "correct GATEWAY_JWT_JWKS_URL")
        else:
            found.ok("keys of tokens", f"{keys!r:.60}")
    else:
        found.ok("tokens", ", ".join(settings.allowed_algorithms) or "share links alone")
    url = urlsplit(settings.public_url)
    found.asked = settings.public_url
    if url.scheme == "https" and url.hostname:
        await _check_public_certificate(url.hostname, url.port or 443, found)


async def _check_public_certificate(host: str, port: int, found: Findings) -> None:
    try:
        days = await server_days_left(host, port, ssl.create_default_context())
    except OSError as error:
        found.wrong(
            "public address",
            f"https://{host}:{port}: {error}",
            "correct GATEWAY_PUBLIC_URL, or the proxy and its certificate",
        )
    else:
        add_days_left(found, "public certificate", days, f"https://{host}:{port}")
