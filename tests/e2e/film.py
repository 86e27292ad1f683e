"""Records what Chromium paints of a page as an animated WebP."""

import asyncio
import base64
import time
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from PIL import Image
from playwright.async_api import CDPSession, Page

from tests.waiting import until

_SCREEN_S = 1 / 60
"""Interval of Chromium's frames; a screencast frame comes after about a multiple of it."""


class Film:
    """Collects screencast frames while it runs; `write` writes them to a file.

    Chromium sends a frame after it has painted, and the next one after an acknowledgement.
    """

    def __init__(self, page: Page, *, width: int, height: int) -> None:
        """`width` and `height` are the largest size in pixels, to which the page is scaled down."""
        self._page = page
        self._bounds = {"maxWidth": width, "maxHeight": height}
        self._session: CDPSession | None = None
        self._frames: list[tuple[float, bytes]] = []
        self._acknowledgements: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._session = await self._page.context.new_cdp_session(self._page)
        self._session.on("Page.screencastFrame", self._on_frame)
        await self._session.send("Page.startScreencast", {"format": "png", **self._bounds})
        await until(lambda: bool(self._frames), "the first frame of the film")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        self._session.remove_listener("Page.screencastFrame", self._on_frame)
        await asyncio.gather(*self._acknowledgements)
        await self._session.send("Page.stopScreencast")
        await self._session.detach()

    def _on_frame(self, event: Any) -> None:
        assert self._session is not None
        self._frames.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        acknowledged = self._session.send(
            "Page.screencastFrameAck", {"sessionId": event["sessionId"]}
        )
        self._acknowledgements.add(asyncio.ensure_future(acknowledged))

    async def run(self, seconds: float) -> None:
        """Record for this long."""
        await self._page.wait_for_timeout(seconds * 1000)

    async def run_until_moved(self, seconds: float, frames: int) -> None:
        """Record for this long, and until there are this many different frames.

        One frame a second does not count, because the ages on the page change as often.
        """
        first, began = len(self._frames), time.time()
        await self._page.wait_for_timeout(seconds * 1000)

        def has_moved() -> bool:
            different = len({frame for _, frame in self._frames[first:]})
            return different - (time.time() - began) >= frames

        await until(has_moved, f"{frames} different frames", within_s=30)

    async def run_until_still(self, seconds: float, frames: int) -> None:
        """Record until the last `seconds` have at most this many different frames."""
        began = time.time()

        def is_still() -> bool:
            now = time.time()
            different = len({frame for at, frame in self._frames if at > now - seconds})
            return now - began >= seconds and different <= frames

        await until(is_still, f"at most {frames} frames in {seconds:g} s", within_s=30)

    def write(self, path: Path, *, per_second: float, quality: int, last_s: float = 2.0) -> int:
        """Write at most `per_second` frames a second; returns their number.

        The last frame is shown for `last_s` seconds.
        """
        kept: list[tuple[float, bytes]] = []
        for at, frame in self._frames:
            if not kept or at - kept[-1][0] >= 1 / per_second - _SCREEN_S / 2:
                kept.append((at, frame))
        times = [at for at, _ in kept] + [kept[-1][0] + last_s]
        shown_ms = [round((after - at) * 1000) for at, after in pairwise(times)]
        pictures = [Image.open(BytesIO(frame)).convert("RGB") for _, frame in kept]
        pictures[0].save(
            path,
            save_all=True,
            append_images=pictures[1:],
            duration=shown_ms,
            loop=0,
            quality=quality,
            method=3,
            # A whole picture every 30 frames, because errors of differences add up.
            kmin=3,
            kmax=30,
        )
        return len(kept)
