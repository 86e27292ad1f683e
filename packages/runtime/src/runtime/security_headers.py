"""Security headers: what a browser may do with a response. Pure.

The gateway's page has a policy of its own; every other response is data, in which a
browser that shows it by itself may run and load nothing.
"""

from typing import Final

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox"
    ),
    # CORS says who may read a response; without it no other site may load one, as a picture say.
    "Cross-Origin-Resource-Policy": "same-origin",
    # What the page does not use, and what no script that got into it is to have.
    "Permissions-Policy": ", ".join(
        f"{feature}=()"
        for feature in (
            "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid",
            "magnetometer", "microphone", "midi", "payment", "serial", "usb",
        )
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}  # fmt: skip
"""The headers of every response. Strict-Transport-Security is the proxy's, which has the TLS."""

SECURITY_FIELDS: Final = tuple(
    (name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()
)
"""The same, as they are written."""
