"""Problem details: the error responses of the HTTP API (RFC 9457)."""

from starlette.responses import JSONResponse


def problem(status: int, title: str, detail: str) -> JSONResponse:
    """Return a problem document; `detail` is a sentence for people."""
    return JSONResponse(
        {"type": "about:blank", "title": title, "status": status, "detail": detail},
        status_code=status,
        media_type="application/problem+json",
    )
