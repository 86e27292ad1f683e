"""Guard: which pillows a request to the HTTP API may see, by the token in its header."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from contract.frames import FULL
from gateway.auth.scope import EVERYTHING, Scope
from gateway.http.problems import problem
from gateway.transport.access import NO_AUTHORIZATION, AccessControl
from gateway.transport.admission import Refusal
from gateway.transport.plain_response import RETRY_AFTER_S

ScopeOf = Callable[[Request], Scope | Response]
"""Returns the pillows that a request may see, or the response that refuses it."""


def scope_of(access: AccessControl | None) -> ScopeOf:
    """Return the guard of a gateway; without access control everybody may see everything."""

    def guarded(request: Request) -> Scope | Response:
        if access is None:
            return EVERYTHING
        grant = access.authenticate(dict(request.headers.raw))
        if grant is None:
            return unauthorized(NO_AUTHORIZATION)
        return unauthorized(grant) if isinstance(grant, Refusal) else grant.scope

    return guarded


def unauthorized(refusal: Refusal) -> Response:
    """Return the response to a request without a token that permits it."""
    if refusal.code == FULL:  # the keys are being fetched
        return problem(503, "try again", refusal.reason, retry_after_s=RETRY_AFTER_S)
    response = problem(401, "not authorized", refusal.reason)
    response.headers["WWW-Authenticate"] = "Bearer"  # RFC 6750 §3
    return response


def forbidden(pillow: str) -> Response:
    """Return the response to a request for a pillow that its token does not permit.

    It is the same whether the pillow exists or not.
    """
    return problem(403, "pillow not allowed", f"the token does not permit {pillow[:80]!r}")
