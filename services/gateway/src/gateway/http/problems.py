"""Problem details: the error responses of the HTTP API (RFC 9457)."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


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


def http_problem(_request: Request, error: Exception) -> Response:
    """Return the problem document of an error that Starlette raises, such as 405."""
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    response = problem(error.status_code, phrase.lower(), f"{phrase}.")
    response.headers.update(error.headers or {})
    return response


def internal_error(_request: Request, _error: Exception) -> Response:
    """Return the problem document of an error of the application, which uvicorn logs."""
    return problem(500, "internal server error", "the gateway failed; its log has the reason")
