"""The gateway's settings, from the environment."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from gateway.auth.settings import AuthSettings
from gateway.labels_settings import LabelsSettings
from gateway.offline_settings import OfflineSettings
from gateway.shown_settings import ShownSettings
from history.settings import HistorySettings
from runtime.networks import parse_network
from runtime.settings import Names
from runtime.tracing.settings import TracingSettings
from runtime.web_host import normalize_host, parse_host
from runtime.web_origin import ascii_host, normalize_origin


def _normalized_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one if one == "*" else normalize_origin(one) for one in origins)


def _checked_ancestors(ancestors: tuple[str, ...]) -> tuple[str, ...]:
    if "none" in ancestors and len(ancestors) > 1:
        raise ValueError("has none beside others; name the sites, or none alone")
    return tuple(map(_ancestor, ancestors)) if ancestors != ("none",) else ()


def _ancestor(name: str) -> str:
    """Return a source of frame-ancestors: `self`, `*`, or an origin, also https://*.example.org."""
    if name in ("self", "*"):
        return name
    scheme, wildcard, host = name.partition("://*.")
    origin = normalize_origin(f"{scheme}://{host}" if wildcard else name)
    if set(origin) & set(";,'"):  # they end a source of the policy
        raise ValueError(f"{name!r} is no origin: like https://example.org")
    return origin.replace("://", "://*.", 1) if wildcard else origin


def _normalized_hosts(hosts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(normalize_host, hosts))


def _checked_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    for network in networks:
        parse_network(network)
    return networks


def _checked_public_url(url: str) -> str:
    parts = urlsplit(url)
    if url and (
        parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment
    ):
        raise ValueError("is no URL like https://clouds.example.org/")
    return url if url.endswith("/") or not url else url + "/"


class GatewaySettings(
    AuthSettings, HistorySettings, LabelsSettings, OfflineSettings, ShownSettings, TracingSettings
):
    """The gateway's settings; each description is the sentence of `.env.example`."""

    host: str = Field("127.0.0.1", alias="GATEWAY_HOST", description="The address to listen on.")
    port: int = Field(
        8080, alias="GATEWAY_PORT", ge=0, le=65535, description="The port to listen on; 0 for any."
    )
    ops_host: str = Field(
        "127.0.0.1",
        alias="GATEWAY_OPS_HOST",
        description="The address of the ops port: /readyz with its reasons, /metrics and "
        "/healthz. Nobody but operators should reach it.",
    )
    ops_port: int = Field(
        8082,
        alias="GATEWAY_OPS_PORT",
        ge=0,
        le=65535,
        description="The ops port; 0 for any. Unless it is set, another one is taken where "
        "8082 is in use.",
    )
    public_url: Annotated[str, AfterValidator(_checked_public_url)] = Field(
        "",
        alias="GATEWAY_PUBLIC_URL",
        description="The address that people open, for share links: https://HOST/ or with a path; "
        "http://localhost and the port unless set.",
    )
    workers: int = Field(
        1,
        alias="GATEWAY_WORKERS",
        ge=1,
        le=1,
        description="The number of processes; 1 is the only value for now.",
    )
    allowed_origins: Annotated[Names, AfterValidator(_normalized_origins)] = Field(
        (),
        alias="GATEWAY_ALLOWED_ORIGINS",
        description="Origins of other sites whose pages may connect, separated by commas; * for "
        "all. Pages of the gateway's own origin always may.",
    )
    frame_ancestors: Annotated[Names, AfterValidator(_checked_ancestors)] = Field(
        (),
        alias="GATEWAY_FRAME_ANCESTORS",
        description="Sites that may show the page in a frame, separated by commas: self, origins "
        "like https://example.org or https://*.example.org, or * for all; none unless set.",
    )
    allowed_hosts: Annotated[Names, AfterValidator(_normalized_hosts)] = Field(
        (),
        alias="GATEWAY_ALLOWED_HOSTS",
        description="Names by which the gateway may be addressed, separated by commas: "
        "clouds.example.org, or .example.org for all names below it, or * for all. localhost, "
        "addresses and the host of GATEWAY_PUBLIC_URL always may. Unless set, also this machine's "
        "name where GATEWAY_HOST is on loopback, and every name where it is not.",
    )
    trusted_proxies: Annotated[Names, AfterValidator(_checked_networks)] = Field(
        (),
        alias="GATEWAY_TRUSTED_PROXIES",
        description="Addresses and networks of the proxies in front, like 10.0.0.0/8, separated "
        "by commas; their X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto and Forwarded "
        "headers are believed.",
    )
    max_browsers: int = Field(
        0,
        alias="GATEWAY_MAX_BROWSERS",
        ge=0,
        description="The limit of client connections; 0 for as many as open files allow.",
    )
    max_connections: int = Field(
        0,
        alias="GATEWAY_MAX_CONNECTIONS",
        ge=0,
        description="The limit of all accepted sockets; 0 for as many as open files allow.",
    )
    max_pending: int = Field(
        1000,
        alias="GATEWAY_MAX_PENDING",
        ge=1,
        description="The limit of connections whose request is incomplete; above it the oldest "
        "are closed.",
    )
    max_idle: int = Field(
        1000,
        alias="GATEWAY_MAX_IDLE",
        ge=1,
        description="The limit of connections that are kept alive between two requests; above it "
        "the oldest are closed.",
    )
    max_requests: int = Field(
        500,
        alias="GATEWAY_MAX_REQUESTS",
        ge=1,
        description="The limit of ordinary requests that are answered at once; above it the "
        "answer is 503.",
    )
    max_connections_per_address: int = Field(
        256,
        alias="GATEWAY_MAX_CONNECTIONS_PER_ADDRESS",
        ge=0,
        description="The limit of connections from one address at once, IPv6 by /64; above it the "
        "answer is 4429 or 429. 0 for no limit. Unless set, there is none for loopback, private "
        "networks and trusted proxies; the same holds for the next two.",
    )
    max_connects_per_address: int = Field(
        64,
        alias="GATEWAY_MAX_CONNECTS_PER_ADDRESS",
        ge=0,
        description="The limit of new connections from one address a second; 0 for no limit.",
    )
    max_requests_per_address: int = Field(
        128,
        alias="GATEWAY_MAX_REQUESTS_PER_ADDRESS",
        ge=0,
        description="The limit of ordinary requests from one address a second; 0 for no limit.",
    )
    max_header_bytes: int = Field(
        32768,
        alias="GATEWAY_MAX_HEADER_BYTES",
        ge=8192,
        le=65536,
        description="The limit of a request's headers together, in bytes; above it the answer is "
        "431.",
    )
    max_headers: int = Field(
        128,
        alias="GATEWAY_MAX_HEADERS",
        ge=64,
        le=1024,
        description="The limit of a request's headers in number; above it the answer is 431.",
    )
    max_query_fields: int = Field(
        1024,
        alias="GATEWAY_MAX_QUERY_FIELDS",
        ge=16,
        le=4096,
        description="The limit of a query's fields; above it the answer is 400 or 4400.",
    )
    request_cpu_share: float = Field(
        0.5,
        alias="GATEWAY_REQUEST_CPU_SHARE",
        gt=0,
        le=1,
        allow_inf_nan=False,
        description="The share of the process's time that handshakes and HTTP may take, saved up "
        "for 2 s of work; above it they wait, and updates are sent meanwhile.",
    )
    keep_alive: int = Field(
        130,
        alias="GATEWAY_KEEP_ALIVE",
        ge=1,
        le=86400,
        description="Seconds that a connection is kept alive between two requests; longer than a "
        "proxy in front keeps it: 60 for nginx, 120 for Caddy.",
    )
    response_timeout: float = Field(
        120,
        alias="GATEWAY_RESPONSE_TIMEOUT",
        gt=0,
        le=86400,
        allow_inf_nan=False,
        description="Seconds after which a response is ended whose client reads nothing of it.",
    )
    request_timeout: float = Field(
        10,
        alias="GATEWAY_REQUEST_TIMEOUT",
        gt=0,
        le=86400,
        allow_inf_nan=False,
        description="Seconds that a connection may take until its first byte, from there to the "
        "end of a request's head, and to that of its body.",
    )
    message_timeout: float = Field(
        30,
        alias="GATEWAY_MESSAGE_TIMEOUT",
        gt=0,
        le=86400,
        allow_inf_nan=False,
        description="Seconds that a client may take to send a WebSocket message that it has begun; "
        "then its connection is closed.",
    )
    client_timeout: float = Field(
        1200,
        alias="GATEWAY_CLIENT_TIMEOUT",
        ge=40,
        le=86400,
        allow_inf_nan=False,
        description="Seconds after which a client is closed that reads nothing, though its system "
        "answers. From 40 s on its place goes to another client where none is left.",
    )
    subscribe_rate: int = Field(
        131072,
        alias="GATEWAY_SUBSCRIBE_RATE",
        ge=0,
        description="Bytes of snapshots a second that the subscribe messages of one client may "
        "cause, saved up for 32 s and at least four times the whole; a client above it is closed "
        "with 4429. 0 for no limit.",
    )
    subscription_bytes: int = Field(
        67108864,
        alias="GATEWAY_SUBSCRIPTION_BYTES",
        ge=0,
        description="Memory for the pillows that all clients name, in bytes, about 150 a name; "
        "clients with equal lists share it. Above it a list of more than 16 is refused with 4429.",
    )
    expire_after: float = Field(
        30,
        alias="GATEWAY_EXPIRE_AFTER",
        gt=0,
        le=86400,
        allow_inf_nan=False,
        description="Seconds of silence after which a pillow is sent as notconnected.",
    )
    max_pillows: int = Field(
        100000,
        alias="GATEWAY_MAX_PILLOWS",
        ge=1,
        description="The limit of known pillows; above it a new one replaces the one that has been "
        "silent for longest, or is refused where none is silent.",
    )
    history_bytes: int = Field(
        67108864,
        alias="GATEWAY_HISTORY_BYTES",
        ge=0,
        description="Memory for past states, in bytes, of all pillows together; the oldest are "
        "evicted first.",
    )

    @property
    def public_host(self) -> str | None:
        """The host of GATEWAY_PUBLIC_URL."""
        return parse_host(ascii_host(urlsplit(self.public_url).netloc.rpartition("@")[2]))

    @property
    def page_url(self) -> str:
        """The address of the page that people open."""
        return self.public_url or f"http://localhost:{self.port}/"
