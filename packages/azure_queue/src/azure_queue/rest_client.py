"""Get Messages, Delete Message and Put Message by HTTP, without the SDK.

Each message costs a Delete and a share of a Get, which the service cannot batch.
The SDK's pipeline needs several times the CPU time of the rest of a message's path.
Put Message is here because the SDK does not write every text unchanged.
"""

import re
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol
from urllib.parse import SplitResult, quote, unquote, urlsplit

from azure_queue.auth import BODY_TYPE, Auth, Headers, Query
from azure_queue.errors import ErrorResponse, invalid_response, no_response, to_exception
from azure_queue.http_pool import HttpPool, NoResponse, Response
from azure_queue.queue_clock import SECOND_US, AnswerTime
from azure_queue.service import API_VERSION
from azure_queue.xml_codec import (
    InvalidPage,
    QueueMessage,
    decode_error,
    decode_message_id,
    decode_page,
    encode_message,
    parse_http_date_us,
)
from runtime.clocks import monotonic_s

_is_safe_in_a_path: Final = re.compile(r"[0-9A-Za-z-]+").fullmatch


class HttpClient(Protocol):
    """Sends HTTP requests to one server; `http_pool.HttpPool` implements it."""

    async def request(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes = b""
    ) -> Response:
        """Send a request, at most twice, and return its response; raises NoResponse."""

    async def close(self) -> None:
        """Close all connections."""


class ReceivedPage(NamedTuple):
    """The messages of one answer, and what the answer says about the queue's clock."""

    messages: list[QueueMessage]
    time: AnswerTime


class RestClient:
    """The requests to one queue.

    `url` is the queue's, and contains a shared access signature where one authorizes requests.
    `http` sends the requests; without it a pool of connections to the server of `url` does.
    Every method raises what `errors.to_exception` and `errors.no_response` return.
    """

    def __init__(self, url: str, auth: Auth, http: HttpClient | None = None) -> None:
        parts = urlsplit(url)
        self._url = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self._path = f"{parts.path.rstrip('/')}/messages"
        self._signed_path = unquote(self._path)
        self._sas = f"&{parts.query}" if parts.query else ""
        self._auth = auth
        self._http = http or _pool_of(parts)
        self._headers: Headers = (
            ("Host", parts.netloc),
            ("x-ms-version", API_VERSION),
            ("User-Agent", "pillowcast"),
        )

    async def close(self) -> None:
        """Close its connections; requests under way raise QueueUnavailable."""
        await self._http.close()

    async def receive(self, limit: int, visibility_s: int) -> ReceivedPage:
        """Return up to `limit` messages, each leased for `visibility_s` seconds."""
        query = (("numofmessages", str(limit)), ("visibilitytimeout", str(visibility_s)))
        sent_s = monotonic_s()
        response = await self._request("GET", "", query)
        received_s = monotonic_s()
        if response.status != 200:
            raise self._to_exception(response)
        try:
            messages = decode_page(response.body)
            if len(messages) > limit:  # the caller has room for no more
                raise InvalidPage(f"a page of {len(messages)} messages instead of at most {limit}")
        except InvalidPage as error:
            raise invalid_response(self._url, error) from None
        first_visible_us = messages[0].visible_us if messages else None
        return ReceivedPage(
            messages,
            AnswerTime(
                sent_s,
                received_s,
                parse_http_date_us(_header(response, b"date")),
                None if first_visible_us is None else first_visible_us - visibility_s * SECOND_US,
                max((message.inserted_us for message in messages), default=None),
            ),
        )

    async def delete(self, message_id: str, pop_receipt: str) -> None:
        """Delete a message for good."""
        # The service documents the id as a GUID; any other text is escaped.
        if not _is_safe_in_a_path(message_id):
            message_id = quote(message_id, safe="")
        response = await self._request("DELETE", f"/{message_id}", (("popreceipt", pop_receipt),))
        if response.status != 204:
            raise self._to_exception(response)

    async def put(self, text: str, ttl_s: int) -> str | None:
        """Put a message on the queue; returns its id, where the service reports it.

        It may be put twice where the response to the first request was lost.
        """
        body = encode_message(text)
        response = await self._request("POST", "", (("messagettl", str(ttl_s)),), body)
        if response.status != 201:
            raise self._to_exception(response)
        return decode_message_id(response.body)

    async def _request(self, method: str, below: str, query: Query, body: bytes = b"") -> Response:
        encoded = "&".join([f"{name}={quote(value, safe='')}" for name, value in query])
        headers = self._headers + await self._auth.headers(
            method, self._signed_path + below, query, len(body)
        )
        if body:
            headers += (("Content-Type", BODY_TYPE), ("Content-Length", str(len(body))))
        try:
            return await self._http.request(
                method, f"{self._path}{below}?{encoded}{self._sas}", headers, body
            )
        except NoResponse as error:
            raise no_response(self._url, error) from error

    def _to_exception(self, response: Response) -> Exception:
        if response.status in (401, 403):
            self._auth.invalidate()
        code, detail = decode_error(response.body)
        return to_exception(
            ErrorResponse(
                response.status,
                _header(response, b"x-ms-error-code") or code,
                detail,
                _header(response, b"date"),
                _header(response, b"retry-after"),
            ),
            datetime.now(UTC),
        )


def _pool_of(url: SplitResult) -> HttpPool:
    tls = ssl.create_default_context() if url.scheme == "https" else None
    return HttpPool(url.hostname or "", url.port or (443 if tls else 80), tls)


def _header(response: Response, name: bytes) -> str:
    return response.headers.get(name, b"").decode("latin-1")
