"""The endpoint of names: its caches, and what a token permits."""

from gateway.http.labels_api import labels_routes
from gateway.labels.labels_file import LabelsFile
from tests.unit.gateway.http.sites import bearer, open_guard, site, token_guard

NAMES = {"cloud-1": "Grandma's cloud", "ward-2": "Küche ☁"}


def named(labels: dict[str, str]) -> LabelsFile:
    """Return a file that was read."""
    file = LabelsFile(None)
    file.labels = labels
    return file


async def test_everybody_gets_the_names_of_an_open_gateway() -> None:
    """They may be kept for a while, also on the way."""
    async with site(*labels_routes(named(NAMES), open_guard())) as client:
        response = await client.get("/api/labels")

    assert response.json() == {"labels": NAMES}
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "public, max-age=30, must-revalidate"


async def test_a_copy_that_is_current_is_confirmed() -> None:
    """And one that is not gets the new names."""
    file = named(NAMES)
    async with site(*labels_routes(file, open_guard())) as client:
        etag = (await client.get("/api/labels")).headers["etag"]
        same = await client.get("/api/labels", headers={"If-None-Match": etag})
        file.labels = {"cloud-1": "Granny"}
        other = await client.get("/api/labels", headers={"If-None-Match": etag})

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    assert other.json() == {"labels": {"cloud-1": "Granny"}}


async def test_without_a_file_there_are_no_names() -> None:
    """A page need not know whether there is one."""
    async with site(*labels_routes(LabelsFile(None), open_guard())) as client:
        assert (await client.get("/api/labels")).json() == {"labels": {}}


async def test_a_token_gets_the_names_of_its_pillows() -> None:
    """For nobody else's cache; without one there are none."""
    async with site(*labels_routes(named(NAMES), token_guard())) as client:
        refused = await client.get("/api/labels")
        response = await client.get("/api/labels", headers=bearer("ward-*"))

    assert refused.status_code == 401
    assert response.json() == {"labels": {"ward-2": "Küche ☁"}}
    assert response.headers["cache-control"].startswith("private")
    assert "Authorization" in response.headers["vary"]
