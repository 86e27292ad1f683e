"""`/ops/about`: which process answers."""

import msgspec
import pytest
from starlette.requests import Request

from runtime.about import ABOUT_PATH, About, about_route
from runtime.clocks import unix_ms
from runtime.settings import CommonSettings
from runtime.version import version_of


async def test_it_says_version_clock_and_settings_and_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MQTT_URL", "mqtt://poller:sesame-opens@broker:1999")
    monkeypatch.setenv("INSTANCE", "one")
    route = about_route("poller", CommonSettings.load(), lambda: -1.5)

    response = await route.endpoint(Request({"type": "http", "headers": []}))
    about = msgspec.json.decode(response.body, type=About)

    assert route.path == ABOUT_PATH
    assert b"sesame" not in response.body
    assert (about.service, about.instance, about.version) == ("poller", "one", version_of("poller"))
    assert (about.broker, about.queue_offset_s) == ("mqtt://broker:1999", -1.5)
    assert abs(about.clock_ms - unix_ms()) < 5000
    assert any(one.name == "TOPIC_PREFIX" for one in about.settings)
