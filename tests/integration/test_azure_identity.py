"""Authorization by an identity's token, on a real Azurite with TLS and OAuth."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential

from azure_queue.account import CLIENT_OPTIONS, StorageAccount
from azure_queue.development_account import ACCOUNT_NAME
from azure_queue.settings import QueueSettings
from devstack import ports
from devstack.azurite import find_azurite
from devstack.certificates import certificate_for_loopback
from devstack.node import find_node
from devstack.processes import Program, Timeouts
from poller.azure.queue import AzureQueue
from poller.queues import DeleteResult, QueueDenied
from poller.settings import PollerSettings


class Identity(AsyncTokenCredential):
    """Makes tokens like those of Entra ID, with a false signature, which Azurite does not check."""

    def __init__(self, *, audience: str = "https://storage.azure.com") -> None:
        self.requests = 0
        self._audience = audience

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        self.requests += 1
        now = int(time.time())
        claims = {
            "aud": self._audience,
            "iss": "https://sts.windows-ppe.net/00000000-0000-0000-0000-000000000000/",
            "nbf": now - 60,
            "iat": now - 60,
            "exp": now + 3600,
        }
        parts = ({"typ": "JWT", "alg": "RS256"}, claims)
        encoded = ".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in parts
        )
        return AccessToken(f"{encoded}.c2lnbmF0dXJl", now + 3600)

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
    """The queue endpoint of an Azurite with TLS and OAuth, whose certificate is trusted."""
    certificate, key = certificate_for_loopback(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    # The SDK's HTTP client has read that variable at its import, before this test.
    monkeypatch.setitem(CLIENT_OPTIONS, "connection_verify", str(certificate))
    port = ports.free()
    program = Program(
        "azurite with OAuth",
        [
            find_node(),
            find_azurite(),
            *("--queueHost", ports.HOST, "--queuePort", str(port)),
            *("--cert", certificate, "--key", key, "--oauth", "basic"),
            *("--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"),
        ],
        ready=partial(_accepts, port),
        env={"NODE_OPTIONS": None},
        timeouts=Timeouts(stop_s=0.5),
    )
    async with program:
        yield f"https://{ports.HOST}:{port}/{ACCOUNT_NAME}"


def signed_in(
    endpoint: str, queue: str, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> AzureQueue:
    """The adapter with this identity in place of DefaultAzureCredential's."""
    monkeypatch.setattr("azure.identity.aio.DefaultAzureCredential", lambda: identity)
    return AzureQueue(PollerSettings.load(AZURE_STORAGE_QUEUE_ENDPOINT=endpoint, QUEUE_NAME=queue))


async def test_every_operation_is_authorized_by_a_token_that_is_kept(
    endpoint: str, queue_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requests of the REST client and those of the SDK."""
    identity = Identity()
    async with signed_in(endpoint, queue_name, identity, monkeypatch) as queue:
        assert await queue.receive(32) == []
        settings = QueueSettings.load(AZURE_STORAGE_QUEUE_ENDPOINT=endpoint)
        async with StorageAccount(settings).queue(queue_name) as states:
            await states.put("HUG", 60)
            await states.put("PUNCH", 60)
        before = identity.requests
        first, second = await queue.receive(32)
        assert await queue.delete(first) is DeleteResult.DELETED
        assert identity.requests == before, "the token was kept"
        assert await queue.renew(second)
        assert await queue.depth() == 1
        assert await queue.put_poison(second)
        await queue.release(second)
        (again,) = await queue.receive(32)
        assert (again.body.text, again.body.attempts) == ("PUNCH", 2)
        assert await queue.delete(again) is DeleteResult.DELETED


async def test_a_refused_token_is_discarded_and_the_message_names_the_identity(
    endpoint: str, queue_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token for another audience; the next request gets a new one."""
    identity = Identity(audience="https://elsewhere.example")
    async with signed_in(endpoint, queue_name, identity, monkeypatch) as queue:
        for _ in range(2):
            before = identity.requests
            with pytest.raises(QueueDenied, match="the identity this process runs as"):
                await queue.receive(32)
            assert identity.requests > before


async def test_a_missing_identity_is_denied_with_a_message_that_names_it(
    endpoint: str, queue_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DefaultAzureCredential itself, in an environment without credentials."""
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    settings = PollerSettings.load(AZURE_STORAGE_QUEUE_ENDPOINT=endpoint, QUEUE_NAME=queue_name)
    async with AzureQueue(settings) as queue:
        with pytest.raises(QueueDenied, match="the identity this process runs as"):
            await queue.receive(32)
