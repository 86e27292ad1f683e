"""The broker as the worker sees it: states out, what others published in."""

import asyncio
from typing import Protocol

from contract.updates import Update


class StatePublisher(Protocol):
    """Publishes with QoS 1. Both publishes raise BrokerLost or PublishRefused, now or later."""

    @property
    def is_ready(self) -> bool:
        """Whether it is connected and has told everything it retains."""

    async def wait_ready(self) -> None:
        """Wait until it is ready."""

    def publish_state(self, update: Update, traceparent: str | None) -> asyncio.Future[None]:
        """Send a state, retained, now; the future is done when the broker has confirmed."""

    def announce(self, letter: bytes) -> asyncio.Future[None]:
        """Send what is said of a dead letter; the future is done when the broker has confirmed."""
