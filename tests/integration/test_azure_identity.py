"""Signing in as an identity, against a real Azurite that asks for tokens, over TLS."""

import asyncio
import base64
import json
import ssl
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential

from devstack import ports
from devstack.azurite import ACCOUNT, find_azurite
from devstack.node import find_node
from devstack.processes import Program
from poller.azure import sdk
from poller.azure.queue import AzureQueue
from poller.queues import DeleteResult, QueueDenied
from poller.settings import PollerSettings
from tests.certificates import certificate_for_loopback


class Identity(AsyncTokenCredential):
    """Tokens as Entra ID makes them, but for the signature, which Azurite does not look at."""

    def __init__(self, *, audience: str = "https://storage.azure.com") -> None:
        self.asked = 0
        self._audience = audience

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        self.asked += 1
        now = int(time.time())
        claims = {
            "aud": self._audience,
            "iss": "https://sts.windows-ppe.net/00000000-0000-0000-0000-000000000000/",
            "nbf": now - 60,
            "iat": now - 60,
            "exp": now + 3600,
        }
        parts = ({"typ": "JWT", "alg": "RS256"}, claims)
        said = ".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in parts
        )
        return AccessToken(f"{said}.c2lnbmF0dXJl", now + 3600)

    async def close(self) -> None:
        pass

    async def __aexit__(self, *_error: object) -> None:
        pass


async def _accepts(port: int) -> str | None:
    try:
        _, writer = await asyncio.open_connection(ports.HOST, port)
    except OSError as error:
        return str(error)
    writer.close()
    return None


@pytest.fixture
async def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The queue endpoint of an Azurite with TLS and tokens; its certificate is known to us."""
    certificate, key = certificate_for_loopback(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    # The SDK's HTTP client has read that variable when it was imported, before this test.
    knowing = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", knowing)
    port = ports.free()
    program = Program(
        "azurite with tokens",
        [
            find_node(),
            find_azurite(),
            *("--queueHost", ports.HOST, "--queuePort", str(port)),
            *("--cert", certificate, "--key", key, "--oauth", "basic"),
            *("--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"),
        ],
        ready=partial(_accepts, port),
        env={"NODE_OPTIONS": None},
        stop_within_s=0.5,
    )
    async with program:
        yield f"https://{ports.HOST}:{port}/{ACCOUNT}"


def signed_in(
    endpoint: str, queue: str, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> AzureQueue:
    """The adapter as the settings make it, with this for what DefaultAzureCredential finds."""
    monkeypatch.setattr("azure.identity.aio.DefaultAzureCredential", lambda: identity)
    return AzureQueue.from_settings(
        PollerSettings.load(AZURE_STORAGE_QUEUE_ENDPOINT=endpoint, QUEUE_NAME=queue)
    )


async def test_an_identity_may_do_all_that_a_key_may(
    endpoint: str, queue_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own requests and the SDK's, with one token for all of ours."""
    identity = Identity()
    async with signed_in(endpoint, queue_name, identity, monkeypatch) as queue:
        assert await queue.receive(32) == []
        states = sdk.account(
            PollerSettings.load(AZURE_STORAGE_QUEUE_ENDPOINT=endpoint, QUEUE_NAME=queue_name)
        ).states
        async with states:
            await states.send_message("HUG")
            await states.send_message("PUNCH")
        before = identity.asked
        first, second = await queue.receive(32)
        assert await queue.delete(first) is DeleteResult.DELETED
        assert identity.asked == before, "the token is kept"
        assert await queue.renew(second)
        assert await queue.depth() == 1
        assert await queue.put_poison(second)
        await queue.release(second)
        (again,) = await queue.receive(32)
        assert (again.body.text, again.body.attempts) == ("PUNCH", 2)
        assert await queue.delete(again) is DeleteResult.DELETED


async def test_an_identity_that_is_not_accepted_is_a_no_that_says_where_to_look(
    endpoint: str, queue_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token for something else; the next request asks for a new one."""
    identity = Identity(audience="https://elsewhere.example")
    async with signed_in(endpoint, queue_name, identity, monkeypatch) as queue:
        for _ in range(2):
            before = identity.asked
            with pytest.raises(QueueDenied, match="the identity this process runs as"):
                await queue.receive(32)
            assert identity.asked > before


async def test_no_identity_at_all_is_a_no_that_says_where_to_look(
    endpoint: str, queue_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DefaultAzureCredential as it is, where there is nothing for it to find."""
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    settings = PollerSettings.load(AZURE_STORAGE_QUEUE_ENDPOINT=endpoint, QUEUE_NAME=queue_name)
    async with AzureQueue.from_settings(settings) as queue:
        with pytest.raises(QueueDenied, match="the identity this process runs as"):
            await queue.receive(32)
