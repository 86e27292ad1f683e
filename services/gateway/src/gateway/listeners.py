"""Listeners: the sockets of the gateway's two ports, the public one and that of operators."""

import socket
from typing import Final, NamedTuple, Self

import structlog

from gateway.settings import GatewaySettings
from gateway.transport.socket_limits import set_socket_limits
from runtime.server import PortUnavailable, listen, url_of

log = structlog.get_logger()

_OPS_PORT: Final = "GATEWAY_OPS_PORT"


class Listeners(NamedTuple):
    """The listening sockets."""

    public: socket.socket
    ops: socket.socket

    @classmethod
    def open(cls, settings: GatewaySettings) -> Self:
        """Open both ports; raises PortUnavailable."""
        public = listen(settings.host, settings.port, "GATEWAY_PORT")
        set_socket_limits(public)
        try:
            return cls(public, _listen_for_operators(settings))
        except PortUnavailable:
            public.close()
            raise

    def log(self, settings: GatewaySettings) -> None:
        """Log both addresses, and that the ops port is not the one that operators expect."""
        port = self.ops.getsockname()[1]
        if settings.ops_port not in (0, port):
            log.warning(
                "the ops port is in use; another one is taken",
                setting=_OPS_PORT,
                wanted=settings.ops_port,
                port=port,
            )
        log.info(
            "listening",
            page=settings.public_url or url_of(self.public),
            ops=url_of(self.ops),
            broker=str(settings.broker),
        )


def _listen_for_operators(settings: GatewaySettings) -> socket.socket:
    """Open the ops port, or any free one where it is in use and nobody chose it.

    Two gateways on one machine should need no setting for it.
    """
    try:
        return listen(settings.ops_host, settings.ops_port, _OPS_PORT)
    except PortUnavailable:
        if "ops_port" in settings.model_fields_set:
            raise
        return listen(settings.ops_host, 0, _OPS_PORT)
