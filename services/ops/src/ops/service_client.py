"""Service client: reads JSON from a service's own port, within a deadline."""

import asyncio
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Final, TypeVar

import msgspec

from ops.endpoints import Endpoint, addresses_of
from runtime.about import ABOUT_PATH, About
from runtime.clocks import unix_ms

TIMEOUT_S: Final = 3.0
MAX_BYTES: Final = 4_000_000

Kind = TypeVar("Kind")


class NoAnswer(Exception):
    """A service gave no answer that can be used; the message says why.

    `is_foreign` if something else answered.
    """

    def __init__(self, why: str, *, is_foreign: bool = False) -> None:
        super().__init__(why)
        self.is_foreign = is_foreign


class Readiness(msgspec.Struct, frozen=True):
    """The answer of `/readyz`."""

    ready: bool
    dependencies: dict[str, str]


@dataclass(frozen=True, slots=True)
class ServiceView:
    """What one instance says of itself, or why it says nothing.

    `clock_skew_s` is its wall clock minus that of this machine.
    """

    endpoint: Endpoint
    error: NoAnswer | None = None
    about: About | None = None
    ready: Readiness | None = None
    clock_skew_s: float = field(default=0.0)

    @property
    def name(self) -> str:
        """The service and its instance."""
        instance = self.about.instance if self.about is not None else str(self.endpoint)
        return f"{self.endpoint.service} {instance}"


async def fetch(
    endpoint: Endpoint, path: str, kind: type[Kind], timeout_s: float = TIMEOUT_S
) -> Kind:
    """Return a JSON document; raises NoAnswer."""
    body = await _get(endpoint, path, timeout_s)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise NoAnswer(
            f"{endpoint}{path} answers something else than a {endpoint.service} of this version "
            f"({error})",
            is_foreign=path == "/readyz",
        ) from None


async def look(endpoint: Endpoint) -> list[ServiceView]:
    """Return what each instance behind an endpoint says of itself."""
    try:
        each = await addresses_of(endpoint)
    except OSError as error:
        why = NoAnswer(f"{endpoint.host} has no address ({error.strerror or error})")
        return [ServiceView(endpoint, why)]
    return list(await asyncio.gather(*map(_look_at, each)))


async def _look_at(endpoint: Endpoint) -> ServiceView:
    try:
        ready = await fetch(endpoint, "/readyz", Readiness)
        before_ms = unix_ms()
        about = await fetch(endpoint, ABOUT_PATH, About)
        middle_ms = (before_ms + unix_ms()) / 2
    except NoAnswer as error:
        return ServiceView(endpoint, error)
    if about.service != endpoint.service:
        why = NoAnswer(f"{endpoint} is a {about.service}", is_foreign=True)
        return ServiceView(endpoint, why)
    return ServiceView(endpoint, None, about, ready, (about.clock_ms - middle_ms) / 1000)


async def _get(endpoint: Endpoint, path: str, timeout_s: float) -> bytes:
    try:
        async with asyncio.timeout(timeout_s + 0.5):
            return await asyncio.to_thread(_get_blocking, endpoint, path, timeout_s)
    except TimeoutError:
        raise NoAnswer(f"{endpoint} gives no answer within {timeout_s:g} s") from None
    except ConnectionRefusedError:
        raise NoAnswer(f"nothing listens on {endpoint}") from None
    except OSError as error:
        raise NoAnswer(f"{endpoint} cannot be reached ({error.strerror or error})") from None
    except HTTPException:
        raise NoAnswer(f"{endpoint} does not speak HTTP", is_foreign=True) from None


def _get_blocking(endpoint: Endpoint, path: str, timeout_s: float) -> bytes:
    connection = HTTPConnection(endpoint.host, endpoint.port, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        return connection.getresponse().read(MAX_BYTES)
    finally:
        connection.close()
