"""Whether messages may be received now: with a broker, and while no other poller receives."""

from poller.consume.elector import Elector
from poller.publish.state_publisher import StatePublisher


class ReceiveGate:
    """What the page fetcher waits for. Without an elector every poller receives."""

    def __init__(self, broker: StatePublisher, elector: Elector | None) -> None:
        self._broker = broker
        self._elector = elector

    @property
    def is_open(self) -> bool:
        """Whether a page may be requested.

        Without a broker nothing is received: the messages stay available to other consumers.
        """
        return self._broker.is_ready and (self._elector is None or self._elector.is_active)

    @property
    def may_fetch_beside(self) -> bool:
        """Whether several pages may be requested at once.

        Beside another poller it is one page, because only a poller's own pages are merged.
        """
        return self.is_open and not self._broker.shares_queue

    @property
    def is_standby(self) -> bool:
        """Whether another poller receives."""
        return self._elector is not None and self._elector.is_standby

    async def wait_open(self) -> None:
        """Wait until a page may be requested; look at `is_open` before."""
        await self._broker.wait_ready()
        if self._elector is not None:
            await self._elector.wait_active()
