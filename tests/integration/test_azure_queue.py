"""The adapter to Azure Storage Queue, against a real Azurite."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.queue import (
    AccountSasPermissions,
    QueueMessage,
    ResourceTypes,
    generate_account_sas,
)
from azure.storage.queue.aio import QueueClient
from pydantic import SecretStr

from devstack import ports
from devstack.azurite import Azurite
from poller.azure.errors import API_VERSION
from poller.azure.http_pool import Connections, Response
from poller.azure.queue import AzureQueue
from poller.queues import DeleteResult, QueueDenied, QueueUnavailable
from poller.settings import PollerSettings

WITHIN_S = 15.0

ODD = [
    "a&b<c>\"d'",
    "&amp; &lt; ]]>",
    "  spaces around  ",
    "carriage\rreturns\r\nand ends of lines\n",
    "\ttabs\tand\nnew\nlines\n",
    "\N{FOX FACE} \N{LATIN SMALL LETTER E WITH ACUTE} \u4e91 \u2028",
    '{"pillow": "cloud-1", "state": "hugging"}',
    "aGFsbG8=",
    "",
    "x" * 65_536,
]


def settings(connection_string: str, queue: str, *, visibility_s: int = 30) -> PollerSettings:
    """Settings for one queue of one account."""
    return PollerSettings.load(
        AZURE_STORAGE_CONNECTION_STRING=SecretStr(connection_string),
        AZURE_STORAGE_QUEUE_ENDPOINT="",
        QUEUE_NAME=queue,
        POLLER_VISIBILITY_TIMEOUT=visibility_s,
    )


@asynccontextmanager
async def opened(
    azurite: Azurite, queue: str, *, visibility_s: int = 30
) -> AsyncIterator[AzureQueue]:
    """The adapter, opened."""
    chosen = settings(azurite.connection_string, queue, visibility_s=visibility_s)
    async with AzureQueue.from_settings(chosen) as adapter:
        yield adapter


@asynccontextmanager
async def client(azurite: Azurite, queue: str) -> AsyncIterator[QueueClient]:
    """The SDK itself, as anyone else uses it."""
    async with QueueClient.from_connection_string(
        azurite.connection_string, queue, api_version=API_VERSION, use_env_settings=False
    ) as opened_client:
        yield opened_client


async def kept(azurite: Azurite, queue: str) -> list[QueueMessage]:
    """What is visible in a queue, looked at without taking it."""
    async with client(azurite, queue) as reader:
        return list(await reader.peek_messages(max_messages=32))


async def test_both_queues_are_made_when_they_are_missing(
    azurite: Azurite, queue_name: str
) -> None:
    """By the first question; that they are there already is no error."""
    async with opened(azurite, queue_name) as one, opened(azurite, queue_name) as other:
        assert await one.receive(32) == []
        assert await other.receive(32) == []

    for name in (queue_name, f"{queue_name}-poison"):
        assert await kept(azurite, name) == []


async def test_a_page_is_one_request_for_as_many_as_fit(
    azurite: Azurite, queue_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to 32 at once; never a second request to see whether there are more."""
    sent: list[bytes] = []
    ask = Connections.ask

    async def noted(connections: Connections, request: bytes) -> Response:
        sent.append(request.partition(b"\r\n")[0])
        return await ask(connections, request)

    async with opened(azurite, queue_name) as adapter, client(azurite, queue_name) as other:
        await adapter.receive(1)
        for number in range(40):
            await other.send_message(str(number))
        monkeypatch.setattr(Connections, "ask", noted)
        pages = [await adapter.receive(limit) for limit in (32, 5, 32, 32)]

    assert [len(page) for page in pages] == [32, 5, 3, 0]
    assert len(sent) == 4, sent
    got = [message.body.text for page in pages for message in page]
    assert sorted(got, key=int) == [str(number) for number in range(40)]
    assert len({message.id for page in pages for message in page}) == 40


async def test_a_message_says_when_it_was_queued_and_how_often_received(
    azurite: Azurite, queue_name: str
) -> None:
    """The queue's own clock and count; the lease is counted from before the request."""
    async with opened(azurite, queue_name, visibility_s=30) as adapter:
        await adapter.receive(1)
        async with client(azurite, queue_name) as other:
            await other.send_message("HUG")
        before = asyncio.get_running_loop().time()
        (first,) = await adapter.receive(32)
        await adapter.release(first)
        (second,) = await adapter.receive(32)

    assert (first.body.attempts, second.body.attempts) == (1, 2)
    age_s = datetime.now(UTC).timestamp() - first.body.queued_us / 1e6
    assert -1 < age_s < 60
    assert before + 30 <= first.leased_until < before + 45
    assert first.body.queued_us == second.body.queued_us


async def test_a_deletion_says_how_it_ended(azurite: Azurite, queue_name: str) -> None:
    """Deleted; gone already; or the lease is lost because the receipt is an old one."""
    async with opened(azurite, queue_name) as adapter, client(azurite, queue_name) as other:
        await adapter.receive(1)
        await other.send_message("one")
        (ours,) = await adapter.receive(1)
        stale = ours.pop_receipt
        await adapter.release(ours)
        (again,) = await adapter.receive(1)

        assert ours.pop_receipt == stale != again.pop_receipt
        assert await adapter.delete(ours) is DeleteResult.LEASE_LOST
        assert await adapter.delete(again) is DeleteResult.DELETED
        assert await adapter.delete(again) is DeleteResult.GONE


async def test_a_renewal_prolongs_the_lease_and_changes_the_receipt(
    azurite: Azurite, queue_name: str
) -> None:
    """The message stays hidden, its text stays as it was, and the new receipt deletes it."""
    async with opened(azurite, queue_name) as adapter, client(azurite, queue_name) as other:
        await adapter.receive(1)
        await other.send_message("  <text> & more ")
        (ours,) = await adapter.receive(1)
        receipt, leased_until = ours.pop_receipt, ours.leased_until

        assert await adapter.renew(ours)

        assert ours.pop_receipt != receipt
        assert ours.leased_until > leased_until
        assert await adapter.receive(32) == []
        await adapter.release(ours)
        (again,) = await adapter.receive(32)
        assert again.body.text == "  <text> & more "
        assert not await adapter.renew(ours), "somebody else has it"
        assert await adapter.renew(again)
        assert await adapter.delete(again) is DeleteResult.DELETED
        assert await adapter.renew(again), "it is gone, so nobody else gets it"
        assert again.leased_until == float("inf")


async def test_a_released_message_is_visible_at_once(azurite: Azurite, queue_name: str) -> None:
    """Not when its lease would have ended; and releasing what is not ours any more is no error."""
    async with (
        opened(azurite, queue_name, visibility_s=3600) as adapter,
        client(azurite, queue_name) as other,
    ):
        await adapter.receive(1)
        await other.send_message("one")
        (ours,) = await adapter.receive(1)
        assert await adapter.receive(1) == []

        await adapter.release(ours)

        (again,) = await adapter.receive(1)
        await adapter.release(ours)
        assert await adapter.receive(1) == [], "a stale receipt releases nothing"
        await adapter.delete(again)
        await adapter.release(again)


async def test_a_poison_copy_is_word_for_word_and_for_ever(
    azurite: Azurite, queue_name: str
) -> None:
    """Whatever is in it: mark-up, quotes, white space, emoji, Base64, nothing, 64 KiB."""
    async with opened(azurite, queue_name) as adapter, client(azurite, queue_name) as other:
        await adapter.receive(1)
        for text in ODD:
            await other.send_message(text)
        page = await adapter.receive(32)
        assert sorted(message.body.text for message in page) == sorted(ODD)
        for message in page:
            await adapter.put_poison(message)

    copies = await kept(azurite, f"{queue_name}-poison")
    assert sorted(copy.content for copy in copies) == sorted(ODD)
    assert {copy.expires_on.year for copy in copies if copy.expires_on} == {9999}


async def test_the_right_to_make_queues_is_not_needed_where_they_are(
    azurite: Azurite, queue_name: str
) -> None:
    """A signature for messages alone is enough."""
    async with opened(azurite, queue_name) as maker:
        await maker.receive(1)
    async with client(azurite, queue_name) as writer:
        await writer.send_message("HUGGING")
        account, key = writer.account_name, writer.credential.account_key
    signature = generate_account_sas(
        str(account),
        key,
        ResourceTypes(object=True, container=True),
        AccountSasPermissions(add=True, update=True, process=True),
        datetime.now(UTC) + timedelta(hours=1),
    )
    chosen = settings(f"QueueEndpoint={azurite.url};SharedAccessSignature={signature}", queue_name)

    async with AzureQueue.from_settings(chosen) as adapter:
        (message,) = await adapter.receive(32)
        await adapter.put_poison(message)
        assert await adapter.delete(message) is DeleteResult.DELETED


async def test_queues_deleted_under_it_are_made_again(azurite: Azurite, queue_name: str) -> None:
    """The act that finds them missing says so; the next one finds them there."""
    async with opened(azurite, queue_name) as adapter:
        await adapter.receive(1)
        async with client(azurite, queue_name) as other:
            await other.send_message("what?")
            (message,) = await adapter.receive(1)
            await other.delete_queue()
        for act in (adapter.delete, adapter.renew, adapter.release):
            with pytest.raises(QueueUnavailable, match="QUEUE_NAME"):
                await act(message)
        assert await adapter.receive(32) == []

        async with client(azurite, f"{queue_name}-poison") as other:
            await other.delete_queue()
        with pytest.raises(QueueUnavailable, match="POISON_QUEUE_NAME"):
            await adapter.put_poison(message)
        await adapter.put_poison(message)
        assert await adapter.delete(message) is DeleteResult.GONE

    assert [copy.content for copy in await kept(azurite, f"{queue_name}-poison")] == ["what?"]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("AccountKey=Eby8", "AccountKey=AAAA"),
        ("AccountName=devstoreaccount1", "AccountName=somebodyelse"),
        ("/devstoreaccount1;", "/nobodyatall;"),
    ],
)
async def test_a_wrong_account_or_key_is_a_no_that_names_the_setting(
    azurite: Azurite, queue_name: str, right: str, wrong: str
) -> None:
    """And that shows no key."""
    assert right in azurite.connection_string
    given = azurite.connection_string.replace(right, wrong)
    async with AzureQueue.from_settings(settings(given, queue_name)) as adapter:
        with pytest.raises(QueueDenied, match="AZURE_STORAGE_CONNECTION_STRING") as caught:
            await adapter.receive(1)

    assert "MGw==" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        "nonsense",
        "AccountName=a",
        "UseDevelopmentStorage=True",
        "QueueEndpoint=http://127.0.0.1:1/devstoreaccount1",
    ],
)
def test_a_malformed_connection_string_is_a_no_that_names_the_setting(
    given: str, queue_name: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(QueueDenied, match="AZURE_STORAGE_CONNECTION_STRING cannot be used"):
        AzureQueue.from_settings(settings(given, queue_name))


def test_an_endpoint_without_tls_is_a_no_that_names_the_setting(queue_name: str) -> None:
    """An identity's token is never sent in the clear."""
    with pytest.raises(QueueDenied, match="AZURE_STORAGE_QUEUE_ENDPOINT cannot be used"):
        AzureQueue.from_settings(
            PollerSettings.load(
                AZURE_STORAGE_QUEUE_ENDPOINT="http://127.0.0.1:1/x", QUEUE_NAME=queue_name
            )
        )


async def test_a_host_that_does_not_answer_is_unavailable(queue_name: str) -> None:
    """At once, not after the SDK's minute of retries; the sentence names address and setting."""
    port = ports.free()
    given = (
        f"AccountName=a;AccountKey=AAAA;QueueEndpoint=http://127.0.0.1:{port}/a;"
        "DefaultEndpointsProtocol=http"
    )
    async with AzureQueue.from_settings(settings(given, queue_name)) as adapter:
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises(QueueUnavailable, match=f"127.0.0.1:{port}") as caught:
                await adapter.receive(1)

    assert "AZURE_STORAGE_CONNECTION_STRING" in str(caught.value)


async def test_an_azurite_that_checks_the_service_version_is_spoken_to(queue_name: str) -> None:
    """The SDK's own newest version is one that it refuses."""
    strict = Azurite()
    strict.command.remove("--skipApiVersionCheck")
    async with strict, opened(strict, queue_name) as adapter:
        assert await adapter.receive(1) == []
