"""CORS: which other sites may read responses, by Starlette's middleware."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from gateway.http.problems import problem


class CorsMiddleware(CORSMiddleware):
    """Starlette's middleware, whose refusals are problem documents as all others are."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the response to a preflight."""
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        reason = bytes(response.body).decode()
        refused = problem(
            response.status_code, "preflight refused", f"{reason}; see GATEWAY_ALLOWED_ORIGINS"
        )
        refused.headers.update(
            {
                name: value
                for name, value in response.headers.items()
                if name not in ("content-length", "content-type")
            }
        )
        return refused
