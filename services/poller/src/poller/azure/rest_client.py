"""Requests of our own: Get Messages and Delete Message, which every message costs, and Put Message.

The SDK's pipeline needs several times the CPU of the rest of a message's way, and deletions cannot
be batched; so these two are written out, signed and sent on connections of our own.
A dead letter is put by hand because the SDK does not write every text word for word.
Everything rarer goes through the SDK.
"""

import re
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Self
from urllib.parse import quote, unquote, urlsplit

from poller.azure.auth import BODY_TYPE, Query, Signer
from poller.azure.errors import API_VERSION, Answer, meaning
from poller.azure.http_pool import Connections, Response, Unanswered
from poller.azure.xml_codec import BadPage, Delivered, read_error, read_id, read_page, write_message
from poller.queues import QueueUnavailable

_GUID: Final = re.compile(r"[0-9A-Za-z-]+").fullmatch


class MessageRequests:
    """Get Messages, Delete Message and Put Message on one queue.

    `url` is the queue's, and may carry a SAS.
    All raise what `answers.meaning` returns.
    """

    def __init__(self, url: str, signer: Signer) -> None:
        parts = urlsplit(url)
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        port = parts.port or (443 if tls else 80)
        self._where = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self._path = f"{parts.path.rstrip('/')}/messages"
        self._signed_path = unquote(self._path)
        self._sas = f"&{parts.query}" if parts.query else ""
        self._signer = signer
        self._connections = Connections(parts.hostname or "", port, tls)
        self._rest = (
            f"Host: {parts.netloc}\r\nx-ms-version: {API_VERSION}\r\n"
            "User-Agent: pillowcast-poller\r\n\r\n"
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._connections.close()

    async def receive(self, limit: int, visibility_s: int) -> tuple[list[Delivered], int | None]:
        """Return up to `limit` messages, and the service's clock in Unix microseconds, if said."""
        query = (("numofmessages", str(limit)), ("visibilitytimeout", str(visibility_s)))
        response = await self._ask("GET", "", query)
        if response.status != 200:
            raise self._why(response)
        try:
            messages = read_page(response.body)
        except BadPage as error:
            raise QueueUnavailable(f"{self._where}: {error}") from None
        return messages, _microseconds(response)

    async def delete(self, message_id: str, receipt: str) -> None:
        """Delete a message for good."""
        # A GUID, says the service; anything else must not get into the request's line as it is.
        below = f"/{message_id}" if _GUID(message_id) else f"/{quote(message_id, safe='')}"
        response = await self._ask("DELETE", below, (("popreceipt", receipt),))
        if response.status != 204:
            raise self._why(response)

    async def put(self, text: str, ttl_s: int) -> str | None:
        """Put a message on the queue; -1 is for ever. Returns its id, where the queue says it."""
        body = write_message(text)
        response = await self._ask("POST", "", (("messagettl", str(ttl_s)),), body)
        if response.status != 201:
            raise self._why(response)
        return read_id(response.body)

    async def _ask(self, verb: str, below: str, query: Query, body: bytes = b"") -> Response:
        said = "&".join([f"{name}={quote(value, safe='')}" for name, value in query])
        proof = await self._signer.sign(verb, self._signed_path + below, query, len(body))
        if body:
            proof += f"Content-Type: {BODY_TYPE}\r\nContent-Length: {len(body)}\r\n"
        head = f"{verb} {self._path}{below}?{said}{self._sas} HTTP/1.1\r\n{proof}{self._rest}"
        try:
            return await self._connections.ask(head.encode("ascii") + body)
        except Unanswered as error:
            raise unanswered(self._where, error) from error

    def _why(self, response: Response) -> Exception:
        if response.status in (401, 403):
            self._signer.refused()
        code, detail = read_error(response.body)
        headers = response.headers
        return meaning(
            Answer(
                response.status,
                _header(headers, b"x-ms-error-code") or code,
                detail,
                _header(headers, b"date"),
                _header(headers, b"retry-after"),
            ),
            datetime.now(UTC),
        )


def unanswered(where: str, error: BaseException) -> QueueUnavailable:
    """Return what to raise when the queue at an address did not answer."""
    return QueueUnavailable(
        f"{where}: {error}; if the address is wrong, look at "
        "AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_QUEUE_ENDPOINT"
    )


def _header(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


def _microseconds(response: Response) -> int | None:
    with suppress(ValueError, TypeError, OverflowError):
        said = parsedate_to_datetime(_header(response.headers, b"date"))
        return int(said.timestamp()) * 1_000_000
    return None
