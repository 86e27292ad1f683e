"""A client of the broker that is signed in, as a program outside this project would use it."""

from typing import Any

import aiomqtt

from devstack import ports
from devstack.broker import Broker, User


def mqtt_client(broker: Broker, user: User, **options: Any) -> aiomqtt.Client:
    """Return a client, to be entered as a context manager; `options` are aiomqtt's."""
    return aiomqtt.Client(
        ports.HOST, broker.port, username=user, password=broker.password(user), **options
    )
