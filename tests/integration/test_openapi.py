"""Every response of a running gateway is as /openapi.json says, whatever is asked for."""

import json
import secrets
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from contract.documents.ops_paths import GATEWAY
from devstack.broker import Broker
from tests.gateway import Gateway, connect_publisher, state
from tests.hypothesis_profiles import examples

PREFIX = "openapi"
TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """A gateway that knows pillows: some report what the queue would refuse."""
    async with (
        Gateway(broker, PREFIX, GATEWAY_EXPIRE_AFTER="86400") as started,
        connect_publisher(broker, PREFIX) as publisher,
    ):
        hops = {"queued": 1, "polled": 2.5, "published": "x"}
        await publisher.publish_all(
            [
                state("cloud-1", seq=1, battery=0.5, motion=[[0, 1, -1.5]]),
                state("cloud-1", "punching", seq=2, hops=hops),
                state("cloud-2", battery=7, confidence="high", motion={}, hops=[], clock=1),
                state("cloud-3", "notconnected", last=1, since=None, more={"deep": [None]}),
            ]
        )
        await publisher.publish_availability("cloud-1", b"offline")
        async with started.connect() as client:
            await client.receive_state("cloud-3", "notconnected")
        yield started
        started.assert_log_is_clean()


def document(gateway: Gateway) -> Any:
    """Return the gateway's own document."""
    return requests.get(f"{gateway.url}/openapi.json", timeout=TIMEOUT_S).json()


def public_document(gateway: Gateway) -> Any:
    """Return it without the paths of other ports, and without the streams, which do not end."""
    found = document(gateway)
    found["paths"] = {
        path: item
        for path, item in found["paths"].items()
        if path not in ("/events", "/ws") and GATEWAY in item.get("servers", [GATEWAY])
    }
    return found


@pytest.mark.timeout(300)
def test_no_request_is_a_fault_and_every_response_is_as_documented(gateway: Gateway) -> None:
    """Status, content type and schema; the seed is printed, and no examples are kept."""
    chosen = secrets.randbits(32)
    sys.stdout.write(f"seed {chosen}\n")
    schema = schemathesis.openapi.from_dict(public_document(gateway))
    schema.config.update(base_url=gateway.url)
    paths = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        paths.append(operation.path)

        @seed(chosen)
        @settings(
            max_examples=examples(60),
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def check(case: schemathesis.Case[Any]) -> None:
            # A schema cannot say what a time zone is, which page follows which, or how many
            # steps there are between two instants.
            is_unsaid = {"tz", "page"} & set(case.query or {}) or case.path.endswith("/activity")
            case.call_and_validate(
                timeout=TIMEOUT_S,
                excluded_checks=[positive_data_acceptance] if is_unsaid else None,
            )

        check()

    assert len(paths) >= 5


@pytest.mark.parametrize("pillow", ["cloud-1", "cloud-2", "cloud-3", "nothing", "bridge", "CLOUD"])
@pytest.mark.parametrize(
    "path",
    ["/api/pillows", "/api/pillows/{}", "/api/pillows/{}/history", "/api/pillows/{}/activity"],
)
def test_a_response_about_a_known_pillow_is_as_documented(
    gateway: Gateway, path: str, pillow: str
) -> None:
    """What is generated seldom names one that exists."""
    schema = schemathesis.openapi.from_dict(document(gateway))
    schema.config.update(base_url=gateway.url)
    operation = schema[path.format("{pillow}")]["GET"]
    parameters = {"pillow": pillow} if "{}" in path else {}
    case = operation.Case(path_parameters=parameters)

    response = case.call_and_validate(timeout=TIMEOUT_S)

    if "{}" not in path or pillow.startswith("cloud-"):
        assert response.status_code == 200
        assert json.loads(response.content)
    else:
        assert response.status_code == 404


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 200),
        ("?pillow=cloud-1&since=a:1", {"Last-Event-ID": "a:2"}, 200),
        ("?pillow=CLOUD", {}, 400),
        ("", {"Origin": "https://elsewhere.example"}, 403),
    ],
)
def test_the_event_stream_begins_as_documented(
    gateway: Gateway, query: str, headers: dict[str, str], status: int
) -> None:
    """Its status and content type are in the document."""
    responses = document(gateway)["paths"]["/events"]["get"]["responses"]
    with requests.get(
        f"{gateway.url}/events{query}", headers=headers, stream=True, timeout=TIMEOUT_S
    ) as response:
        assert response.status_code == status
        media_type = response.headers["Content-Type"].partition(";")[0]

    assert media_type in responses[str(status)]["content"]
