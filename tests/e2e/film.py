"""A film of a page: what Chromium painted, when it painted it, as one animated WebP."""

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
"""How often Chromium paints; frames come at whole multiples of it, more or less."""


class Film:
    """Takes in frames while it runs; `write` makes a file of them.

    Chromium sends a frame when something was painted, and the next one when the last was taken.
    """

    def __init__(self, page: Page, *, width: int, height: int) -> None:
        """`width` and `height` in pixels bound the picture; the page is scaled to fit."""
        self._page = page
        self._bounds = {"maxWidth": width, "maxHeight": height}
        self._session: CDPSession | None = None
        self._frames: list[tuple[float, bytes]] = []
        self._taken: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._session = await self._page.context.new_cdp_session(self._page)
        self._session.on("Page.screencastFrame", self._take)
        await self._session.send("Page.startScreencast", {"format": "png", **self._bounds})
        await until(lambda: bool(self._frames), "the first frame of the film")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        self._session.remove_listener("Page.screencastFrame", self._take)
        await asyncio.gather(*self._taken)
        await self._session.send("Page.stopScreencast")
        await self._session.detach()

    def _take(self, told: Any) -> None:
        assert self._session is not None
        self._frames.append((told["metadata"]["timestamp"], base64.b64decode(told["data"])))
        acknowledged = self._session.send(
            "Page.screencastFrameAck", {"sessionId": told["sessionId"]}
        )
        self._taken.add(asyncio.ensure_future(acknowledged))

    async def run(self, seconds: float) -> None:
        """Let the film run on for so long."""
        await self._page.wait_for_timeout(seconds * 1000)

    async def run_until_moved(self, seconds: float, frames: int) -> None:
        """Let the film run on for so long, and until it has so many frames unlike each other.

        One a second does not count: the page's numbers change as often. How often a busy machine
        paints more than these says nothing about whether anything moves.
        """
        first, began = len(self._frames), time.time()
        await self._page.wait_for_timeout(seconds * 1000)

        def has_moved() -> bool:
            unlike = len({frame for _, frame in self._frames[first:]})
            return unlike - (time.time() - began) >= frames

        await until(has_moved, f"{frames} frames unlike each other", within_s=30)

    async def run_until_still(self, seconds: float, frames: int) -> None:
        """Let the film run on until for so long it had no more frames unlike each other than these.

        How long a busy machine takes to come to that says nothing about what is to be seen then.
        """
        began = time.time()

        def is_still() -> bool:
            now = time.time()
            unlike = len({frame for at, frame in self._frames if at > now - seconds})
            return now - began >= seconds and unlike <= frames

        await until(is_still, f"at most {frames} frames in {seconds:g} s", within_s=30)

    def write(self, path: Path, *, per_second: float, quality: int, last_s: float = 2.0) -> int:
        """Write at most so many frames a second, the last one shown for `last_s`; how many."""
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
            # A whole picture now and then: small differences leave traces that add up.
            kmin=3,
            kmax=30,
        )
        return len(kept)
