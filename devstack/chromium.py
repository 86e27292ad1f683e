"""How a Chromium is started that is looked at by nobody."""

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
"""No sandbox, which root and containers have none of; no graphics card; nothing on the network but
what a page asks for."""
