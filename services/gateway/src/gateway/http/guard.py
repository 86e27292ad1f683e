"""Guard: which pillows a request to the HTTP API may see, by the token in its header."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from contract.frames import FORBIDDEN, FULL
from gateway.auth.scope import EVERYTHING, Scope
from gateway.http.problems import problem
from gateway.http.responses import Endpoint
from gateway.transport.access import NO_AUTHORIZATION, AccessControl
from gateway.transport.admission import Refusal


class Guard:
    """Decides what each request may see, and counts what it refuses."""

    def __init__(
        self, access: AccessControl | None, count_refused: Callable[[Refusal], None]
    ) -> None:
        """Without access control everybody may see everything."""
        self._access = access
        self._count_refused = count_refused

    @property
    def is_open(self) -> bool:
        """Whether everybody may see everything."""
        return self._access is None

    def scope_of(self, request: Request) -> Scope | Response:
        """Return the pillows that a request may see, or the response that refuses it."""
        if self._access is None:
            return EVERYTHING
        grant = self._access.authenticate(dict(request.headers.raw)) or NO_AUTHORIZATION
        if not isinstance(grant, Refusal):
            return grant.scope
        self._count_refused(grant)
        return unauthorized(grant)

    def of_pillow(self, respond: Callable[[Request, str], Awaitable[Response]]) -> Endpoint:
        """Return the endpoint of a pillow; `respond` handles the requests that may see it."""

        async def endpoint(request: Request) -> Response:
            pillow = request.path_params["pillow"]
            scope = self.scope_of(request)
            if isinstance(scope, Response):
                return scope
            return await respond(request, pillow) if pillow in scope else self.forbidden(pillow)

        return endpoint

    def forbidden(self, pillow: str) -> Response:
        """Return the response to a request for a pillow that its token does not permit.

        It is the same whether the pillow exists or not.
        """
        reason = f"the token does not permit {pillow[:80]!r}"
        self._count_refused(Refusal(FORBIDDEN, reason))
        return problem(403, "pillow not allowed", reason)


def unauthorized(refusal: Refusal) -> Response:
    """Return the response to a request without a token that permits it."""
    if refusal.code == FULL:  # the keys are being fetched
        return problem(
            refusal.status, "try again", refusal.reason, retry_after_s=refusal.retry_after_s
        )
    response = problem(refusal.status, "not authorized", refusal.reason)
    response.headers["WWW-Authenticate"] = "Bearer"  # RFC 6750 §3
    return response
