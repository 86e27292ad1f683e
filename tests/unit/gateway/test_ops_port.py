"""What the ops port answers."""

import asyncio

import httpx

from devstack import ports
from gateway.metrics import GatewayMetrics
from gateway.ops_port import serve_ops
from runtime.server import listen, url_of

GONE = "mqtt://broker:1883: not connected yet"


async def test_it_answers_health_readiness_with_reasons_and_metrics() -> None:
    """And nothing of the public port."""
    stopping, metrics = asyncio.Event(), GatewayMetrics()
    listener = listen(ports.HOST, 0, "GATEWAY_OPS_PORT")
    serving = asyncio.ensure_future(
        serve_ops(listener, stopping, lambda: {"mqtt": GONE}, metrics.registry)
    )
    async with httpx.AsyncClient(base_url=url_of(listener)) as http, asyncio.timeout(20):
        healthy, ready, scraped, page = [
            await http.get(path) for path in ("/healthz", "/readyz", "/metrics", "/api/pillows")
        ]
        stopping.set()
        await serving

    assert healthy.text == "ok\n"
    assert (ready.status_code, ready.json()["dependencies"]) == (503, {"mqtt": GONE})
    assert scraped.headers["content-type"].startswith("text/plain; version=")
    assert "pillowcast_gateway_pillows 0.0" in scraped.text
    assert page.status_code == 404
