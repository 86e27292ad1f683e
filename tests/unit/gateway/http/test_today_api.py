"""The endpoint of today's hugs: days, scopes, compression."""

from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from gateway.http.guard import Guard
from gateway.http.today_api import today_routes
from gateway.past.fallback import PastWithFallback
from gateway.past.memory import MemoryPast
from history.hugs import Hugs
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.http.sites import bearer, open_guard, site, token_guard

S = 1_000_000
NOW_MS = 1_790_000_000_000  # 2026-09-21T14:13:20Z
HUGS = {
    "cloud-1": Hugs(4, NOW_MS * 1000 - 90 * S, 41_200_000),
    "ward-2": Hugs(0, NOW_MS * 1000 - 3600 * S, 0),
}


class Counted(PastWithFallback):
    """Hugs that were counted, and since when."""

    def __init__(self, core: GatewayCore, hugs: Mapping[str, Hugs]) -> None:
        memory = MemoryPast(core.history, core.clock)
        super().__init__(None, memory, core.metrics.history_up)
        self.found, self.since_us = hugs, list[int]()
        self.is_recorded, self.heard_us = True, 0

    async def hugs(self, from_us: int, until_us: int) -> tuple[Mapping[str, Hugs], bool]:
        """Return the hugs."""
        self.since_us.append(from_us)
        return self.found, self.is_recorded

    def memory_since_us(self) -> int | None:
        """Return when memory began."""
        return self.heard_us


class Rig:
    """A client, and what it asks."""

    def __init__(self, client: httpx.AsyncClient, past: Counted) -> None:
        self.client, self.past = client, past

    async def get(self, query: str = "", **headers: str) -> httpx.Response:
        return await self.client.get(f"/api/today{query}", headers=headers)


async def rig_of(guard: Guard, hugs: Mapping[str, Hugs] = HUGS) -> AsyncIterator[Rig]:
    """Yield a rig."""
    core = GatewayCore(clock=lambda: NOW_MS)
    past = Counted(core, hugs)
    async with site(*today_routes(past, guard, core.clock)) as client:
        yield Rig(client, past)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """An open gateway."""
    async for made in rig_of(open_guard()):
        yield made


@pytest.fixture
async def guarded() -> AsyncIterator[Rig]:
    """One that asks for tokens."""
    async for made in rig_of(token_guard()):
        yield made


async def test_it_tells_of_every_pillow_that_was_hugged(rig: Rig) -> None:
    """A hug that began yesterday is the last one, but none of today."""
    response = await rig.get()

    assert response.json() == {
        "day": "2026-09-21",
        "tz": "UTC",
        "to": "2026-09-21T14:13:20.000Z",
        "source": "recorder",
        "pillows": {
            "cloud-1": {
                "hugs": 4, "last_hug": "2026-09-21T14:11:50.000Z", "longest_hug_s": 41.2
            },
            "ward-2": {"hugs": 0, "last_hug": "2026-09-21T13:13:20.000Z", "longest_hug_s": 0.0},
        },
    }  # fmt: skip
    assert response.headers["cache-control"] == "public, max-age=10"


async def test_a_day_is_that_of_the_time_zone(rig: Rig) -> None:
    """Days that begin together are counted together."""
    for zone in ("Europe/Berlin", "Europe/Paris", "Pacific/Kiritimati"):
        response = await rig.get(f"?tz={zone}")
        assert response.json()["tz"] == zone
    assert response.json()["day"] == "2026-09-22"

    midnight_us = NOW_MS * 1000 - (16 * 3600 + 13 * 60 + 20) * S
    assert rig.past.since_us == [midnight_us, midnight_us + 12 * 3600 * S]


@pytest.mark.parametrize(("ago_s", "since"), [(3600, "2026-09-21T13:13:20.000Z"), (86_400, None)])
async def test_memory_says_since_when_it_counts_where_that_is_not_the_whole_day(
    rig: Rig, ago_s: int, since: str | None
) -> None:
    """Otherwise a page would call too few hugs those of the day."""
    rig.past.is_recorded, rig.past.heard_us = False, NOW_MS * 1000 - ago_s * S
    for query in ("", "?pillow=cloud-1"):
        body = (await rig.get(query)).json()
        assert (body["source"], body.get("since")) == ("memory", since)


async def test_it_tells_of_the_pillows_that_are_named(rig: Rig) -> None:
    """One that nobody hugged is not there; each name once."""
    found = (await rig.get("?pillow=ward-2&pillow=cloud-9&pillow=ward-2")).json()["pillows"]

    assert list(found) == ["ward-2"]


@pytest.mark.parametrize("query", ["?tz=Nowhere", "?pillow=UP", "?pillow=a&pillow=", "?tz=../x"])
async def test_a_query_that_cannot_be_read_is_refused(rig: Rig, query: str) -> None:
    """With a sentence."""
    response = await rig.get(query)

    assert response.status_code == 400
    assert response.json()["detail"]


async def test_a_wrong_time_zone_is_named_by_the_refusal(rig: Rig) -> None:
    """The server's own is no time zone of the caller's."""
    refusal = (await rig.get("?tz=localtime")).json()["detail"]

    assert refusal == "'localtime' is no time zone; tz is one such as Europe/Berlin"


async def test_more_names_than_a_subscription_may_have_are_refused(rig: Rig) -> None:
    """A thousand."""
    assert (await rig.get("?" + "&".join(["pillow=a"] * 1001))).status_code == 400


async def test_a_token_gets_the_hugs_of_its_pillows(guarded: Rig) -> None:
    """Others are forbidden by name, and left out otherwise."""
    ward = bearer("ward-*")
    everything = await guarded.get(**ward)
    forbidden = await guarded.get("?pillow=ward-2&pillow=cloud-1", **ward)

    assert (await guarded.get()).status_code == 401
    assert list(everything.json()["pillows"]) == ["ward-2"]
    assert everything.headers["cache-control"].startswith("private")
    assert "Authorization" in everything.headers["vary"]
    assert forbidden.status_code == 403
    assert guarded.past.since_us == [NOW_MS * 1000 - (14 * 3600 + 13 * 60 + 20) * S]


async def test_many_pillows_are_compressed_once() -> None:
    """For those who read it so; the content is the same."""
    hugs = {f"cloud-{number}": HUGS["cloud-1"] for number in range(500)}
    async for rig in rig_of(open_guard(), hugs):
        plain = await rig.get(**{"Accept-Encoding": "identity"})
        first, second = [await rig.get() for _ in range(2)]

        assert "content-encoding" not in plain.headers
        assert first.headers["content-encoding"] == "gzip"
        assert "Accept-Encoding" in first.headers["vary"]
        assert first.json() == second.json() == plain.json()
        assert int(first.headers["content-length"]) < len(plain.content) / 10
