"""Problem details: the error responses of the HTTP API (RFC 9457)."""

from starlette.responses import JSONResponse


def problem(
    status: int, title: str, detail: str, *, retry_after_s: int | None = None
) -> JSONResponse:
    """Return a problem document; `detail` is a sentence for people."""
    return JSONResponse(
        {"type": "about:blank", "title": title, "status": status, "detail": detail},
        status_code=status,
        headers=None if retry_after_s is None else {"Retry-After": str(retry_after_s)},
        media_type="application/problem+json",
    )
