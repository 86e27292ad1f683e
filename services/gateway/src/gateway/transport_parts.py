"""Transport parts: the limits of connections, addresses and requests, from the settings."""

from functools import partial

import structlog

from gateway.access_parts import AccessParts
from gateway.fanout.dispatcher import Dispatcher
from gateway.metrics import GatewayMetrics, MemoryLimits
from gateway.settings import GatewaySettings
from gateway.transport.address_limiter import AddressLimiter, AddressPolicy
from gateway.transport.address_limits import AddressLimits
from gateway.transport.admission import AdmissionPolicy
from gateway.transport.closings import ClosingQueue
from gateway.transport.connection_limits import ConnectionLimits, derive_limits
from gateway.transport.connections import ConnectionRegistry
from gateway.transport.context import TransportContext
from gateway.transport.cpu_budget import (
    BURST_S,
    CPU_SHARE,
    REQUEST_BURST_S,
    REQUEST_SLICE_S,
    SLICE_S,
)
from gateway.transport.forwarded import parse_networks
from gateway.transport.inbound_scheduler import InboundScheduler
from gateway.transport.limit_use import observe_limits
from gateway.transport.loop_budget import LoopBudget
from gateway.transport.open_files import open_file_limit
from gateway.transport.request_limits import RequestLimits
from gateway.transport.shown_reports import ShownReports, ShownSpans
from gateway.transport.traffic_limits import TrafficLimits
from runtime.queue_aware_clock import Clock
from runtime.server import machine_names
from runtime.web_host import allowed_hosts

log = structlog.get_logger()


def create_transport(
    settings: GatewaySettings,
    dispatcher: Dispatcher,
    access: AccessParts | None,
    metrics: GatewayMetrics,
    clock: Clock,
    spans: ShownSpans | None = None,
) -> TransportContext:
    """Return what every connection uses. `spans` records traces."""
    registry = ConnectionRegistry(
        metrics, _connection_limits(settings), settings.message_timeout, settings.request_timeout
    )
    observe_limits(registry, metrics)
    share = settings.request_cpu_share
    for_requests = LoopBudget(share, REQUEST_BURST_S, REQUEST_SLICE_S)
    for_messages = LoopBudget(CPU_SHARE, BURST_S, SLICE_S)
    dispatcher.leave_out(lambda: for_requests.total_s + for_messages.total_s)
    requests = InboundScheduler(
        for_requests, partial(registry.count_delayed, share), has_updates=dispatcher.is_due
    )
    metrics.set_limits(
        MemoryLimits(settings.max_pillows, settings.history_bytes, settings.subscription_bytes)
    )
    dispatcher.ask_for_shown(settings.shown_sample)
    metrics.subscription_bytes.set_function(dispatcher.subscription_bytes)
    messages = InboundScheduler(for_messages, has_updates=dispatcher.is_due)
    metrics.requests_waiting.set_function(requests.__len__)
    metrics.resting.set_function(lambda: messages.resting + requests.resting)
    closings = ClosingQueue()
    metrics.ended.set_function(closings.__len__)
    return TransportContext(
        registry,
        dispatcher,
        messages,
        requests,
        _admission_policy(settings, registry.limits),
        clock,
        _traffic_limits(settings),
        AddressLimiter(_address_policy(settings), metrics),
        access.control if access is not None else None,
        ShownReports(settings.shown_sample, metrics.registry, clock, spans),
        closings,
    )


def _connection_limits(settings: GatewaySettings) -> ConnectionLimits:
    """Return the limits of the settings, within that of open files."""
    wanted = ConnectionLimits(
        total=settings.max_connections,
        clients=settings.max_browsers,
        pending=settings.max_pending,
        idle=settings.max_idle,
        requests=settings.max_requests,
    )
    limits = derive_limits(wanted, open_file_limit())
    for setting, asked, got in (
        ("max_connections", wanted.total, limits.total),
        ("max_browsers", wanted.clients, limits.clients),
        ("max_requests", wanted.requests, limits.requests),
    ):
        if setting in settings.model_fields_set and asked > got:
            log.warning(
                "connection limit lowered; raise the limit of open files",
                setting=f"GATEWAY_{setting.upper()}",
                wanted=asked,
                size=got,
            )
    return limits


def _traffic_limits(settings: GatewaySettings) -> TrafficLimits:
    return TrafficLimits(
        settings.subscribe_rate,
        settings.response_timeout,
        settings.client_timeout,
        RequestLimits(settings.max_header_bytes, settings.max_headers, settings.max_query_fields),
        settings.subscription_bytes,
    )


def _address_policy(settings: GatewaySettings) -> AddressPolicy:
    """Return the limits of one address; where it may be a proxy's, only those that are set hold."""
    names = ("max_connections_per_address", "max_connects_per_address", "max_requests_per_address")
    limits = [getattr(settings, name) for name in names]
    is_set = [name in settings.model_fields_set for name in names]
    nearby = [size if own else 0 for size, own in zip(limits, is_set, strict=True)]
    trusted = parse_networks(settings.trusted_proxies)
    return AddressPolicy(AddressLimits(*limits), AddressLimits(*nearby), trusted)


def _admission_policy(settings: GatewaySettings, limits: ConnectionLimits) -> AdmissionPolicy:
    public = settings.public_host
    hosts = allowed_hosts(
        settings.allowed_hosts, settings.host, machine_names(), filter(None, [public])
    )
    if hosts.everything and not settings.allowed_hosts:
        log.warning("requests for any host are answered", setting="GATEWAY_ALLOWED_HOSTS")
    return AdmissionPolicy(
        settings.allowed_origins,
        limits.clients,
        parse_networks(settings.trusted_proxies),
        hosts,
        public if settings.public_url.startswith("https:") else None,
    )
