"""What a service says of itself over HTTP, and the command a container's health check runs."""

import http.client
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

Dependencies = Callable[[], Mapping[str, str]]
"""What a service depends on, by name: `ok`, or a sentence saying what is wrong."""

OK = "ok"


def health_routes(dependencies: Dependencies, registry: CollectorRegistry) -> list[Route]:
    """Return `/healthz` (alive), `/readyz` (every dependency by name) and `/metrics`.

    Alive fails slow and ready fails fast: a broker's blip must not restart every process.
    """

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        found = dict(dependencies())
        ready = all(state == OK for state in found.values())
        return JSONResponse(
            {"ready": ready, "dependencies": found}, status_code=200 if ready else 503
        )

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]


def main() -> None:
    """`python -m runtime.health URL`: exit 0 when it answers 2xx within 3 seconds, else 1."""
    if len(sys.argv) != 2 or not sys.argv[1].startswith("http://"):
        sys.stderr.write("usage: python -m runtime.health http://127.0.0.1:PORT/readyz\n")
        raise SystemExit(2)
    try:
        # Docker may hand a container its host's proxy, which knows nothing of 127.0.0.1 in here.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(sys.argv[1], timeout=3):
            raise SystemExit(0)
    except urllib.error.HTTPError as error:
        error.close()
        why = str(error)
    except (http.client.HTTPException, OSError) as error:
        why = str(error)
    sys.stderr.write(f"{sys.argv[1]}: {why.strip()}\n")
    raise SystemExit(1)


if __name__ == "__main__":
    main()
