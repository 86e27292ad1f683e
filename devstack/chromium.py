"""How a Chromium without a window is started."""

from typing import Final

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""The sandbox is off because it does not work as root or in a container. There is no graphics card,
and no network traffic except that of the page."""
