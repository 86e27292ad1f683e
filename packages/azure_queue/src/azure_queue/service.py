"""Constants of the Azure Queue Storage service. Pure.

Source: the service's REST reference, pages "Get Messages" and "Put Message".
"""

from typing import Final

API_VERSION: Final = "2025-11-05"
"""The `x-ms-version` of every request: the newest version that Azurite 3.35 accepts.

Azure accepts every version since 2011.
"""

PAGE_SIZE: Final = 32
"""The largest number of messages that one request can receive or peek at."""

NEVER_EXPIRES: Final = -1
"""The time to live of a message that the service keeps until it is deleted."""
