"""The live state of cloud pillows, from a Pillowcast gateway.

    async for update in connect("https://pillows.example/"):
        print(update.pillow, update.state)

The client keeps one connection, reconnects, resumes at its cursor, and says at every moment
whether the known states are live.
"""

from pillowcast.address import Url
from pillowcast.client import Client, connect
from pillowcast.errors import FrameError, PillowcastError, RefusedError
from pillowcast.freshness import Connection, Freshness
from pillowcast.link import Status
from pillowcast.pillow_state import STATES, State, StateName, Update
from pillowcast.session import Token

__all__ = [
    "STATES",
    "Client",
    "Connection",
    "FrameError",
    "Freshness",
    "PillowcastError",
    "RefusedError",
    "State",
    "StateName",
    "Status",
    "Token",
    "Update",
    "Url",
    "connect",
]
