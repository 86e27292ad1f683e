"""A naive broadcast: Starlette on uvicorn, with one send for each browser.

naive_starlette.py PORT MQTT_PORT
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

import aiomqtt
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

browsers: set[WebSocket] = set()


async def serve(browser: WebSocket) -> None:
    """Keep one WebSocket until it closes."""
    await browser.accept()
    browsers.add(browser)
    try:
        while True:
            await browser.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        browsers.discard(browser)


async def forward(mqtt_port: int) -> None:
    """Send each state to all browsers."""
    async with aiomqtt.Client("127.0.0.1", mqtt_port) as client:
        await client.subscribe("pillow/+/state")
        async for message in client.messages:
            text = bytes(message.payload).decode()
            await asyncio.gather(
                *(browser.send_text(text) for browser in browsers), return_exceptions=True
            )


@contextlib.asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    """Receive states for as long as the server runs."""
    task = asyncio.ensure_future(forward(int(sys.argv[2])))
    yield
    task.cancel()


app = Starlette(routes=[WebSocketRoute("/ws", serve)], lifespan=lifespan)
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", ws_per_message_deflate=False)
