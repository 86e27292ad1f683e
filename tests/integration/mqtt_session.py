"""A program that keeps an MQTT session until SIGTERM, and is more patient than its test.

Arguments: URL, protocol, status topic.
"""

import asyncio
import sys
from typing import Literal, cast

from runtime.broker_url import parse_broker_url
from runtime.lifecycle import run_service
from runtime.logs import configure_logs
from runtime.mqtt import MqttSession, SessionConfig, SessionLimits

PATIENT = SessionLimits(keepalive_s=300, response_timeout_s=300)


async def serve(stopping: asyncio.Event) -> None:
    """Keep the session."""
    url, protocol, status_topic = sys.argv[1:]
    session = MqttSession(
        SessionConfig(
            parse_broker_url(url),
            cast("Literal['5', '3.1.1']", protocol),
            service="poller",
            instance="child",
            status_topic=status_topic,
            mark_topic=f"{status_topic.removesuffix('/status')}/mark",
            limits=PATIENT,
        )
    )
    await session.run(stopping)


if __name__ == "__main__":
    configure_logs("session", level="info", style="json")
    run_service(serve)
