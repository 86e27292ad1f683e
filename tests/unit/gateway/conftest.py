"""What the gateway's own tests share: the event loop that the gateway runs on."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run on uvloop: its transports pause, resume and end at other moments than asyncio's."""
    return {"uvloop": uvloop.new_event_loop}
