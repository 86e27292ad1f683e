"""The adapter of the Queue port, on a real Azurite."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.queue import (
    AccountSasPermissions,
    QueueMessage,
    ResourceTypes,
    generate_account_sas,
)
from pydantic import SecretStr

from azure_queue.http_pool import HttpPool, Response
from devstack import ports
from devstack.azurite import Azurite
from poller.azure.queue import AzureQueue
from poller.queues import DeleteResult, QueueDenied, QueueUnavailable
from poller.settings import PollerSettings
from tests.queue_client import queue_client

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
        QUEUE_NAME=queue,
        POLLER_VISIBILITY_TIMEOUT=visibility_s,
    )


@asynccontextmanager
async def opened(
    azurite: Azurite, queue: str, *, visibility_s: int = 30
) -> AsyncIterator[AzureQueue]:
    """The adapter, opened."""
    chosen = settings(azurite.connection_string, queue, visibility_s=visibility_s)
    async with AzureQueue(chosen) as adapter:
        yield adapter


async def kept(azurite: Azurite, queue: str) -> list[QueueMessage]:
    """The messages of a queue that are not leased."""
    async with queue_client(azurite.connection_string, queue) as reader:
        return list(await reader.peek_messages(max_messages=32))


async def test_the_first_receive_creates_both_queues_unless_they_exist(
    azurite: Azurite, queue_name: str
) -> None:
    """An existing queue is no error."""
    async with opened(azurite, queue_name) as one, opened(azurite, queue_name) as other:
        assert await one.receive(32) == []
        assert await other.receive(32) == []

    for name in (queue_name, f"{queue_name}-poison"):
        assert await kept(azurite, name) == []


async def test_a_receive_is_one_request_for_at_most_32_messages(
    azurite: Azurite, queue_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no second request to see whether there are more."""
    sent: list[str] = []
    request = HttpPool.request

    async def recorded(
        pool: HttpPool, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes
    ) -> Response:
        sent.append(f"{method} {target}")
        return await request(pool, method, target, headers, body)

    async with (
        opened(azurite, queue_name) as adapter,
        queue_client(azurite.connection_string, queue_name) as other,
    ):
        await adapter.receive(1)
        for number in range(40):
            await other.send_message(str(number))
        monkeypatch.setattr(HttpPool, "request", recorded)
        pages = [await adapter.receive(limit) for limit in (32, 5, 32, 32)]

    assert [len(page) for page in pages] == [32, 5, 3, 0]
    assert len(sent) == 4, sent
    got = [message.body.text for page in pages for message in page]
    assert sorted(got, key=int) == [str(number) for number in range(40)]
    assert len({message.id for page in pages for message in page}) == 40


async def test_a_message_has_its_insertion_time_its_dequeue_count_and_its_lease(
    azurite: Azurite, queue_name: str
) -> None:
    """Time and count are the queue's; the lease is counted from before the request."""
    async with opened(azurite, queue_name, visibility_s=30) as adapter:
        await adapter.receive(1)
        async with queue_client(azurite.connection_string, queue_name) as other:
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


async def test_a_deletion_returns_deleted_gone_or_lease_lost(
    azurite: Azurite, queue_name: str
) -> None:
    """The lease is lost when the pop receipt is an old one."""
    async with (
        opened(azurite, queue_name) as adapter,
        queue_client(azurite.connection_string, queue_name) as other,
    ):
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


async def test_a_renewal_extends_the_lease_and_replaces_the_pop_receipt(
    azurite: Azurite, queue_name: str
) -> None:
    """The message stays hidden and unchanged, and the new receipt deletes it."""
    async with (
        opened(azurite, queue_name) as adapter,
        queue_client(azurite.connection_string, queue_name) as other,
    ):
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
        assert not await adapter.renew(ours), "another consumer has it"
        assert await adapter.renew(again)
        assert await adapter.delete(again) is DeleteResult.DELETED
        assert await adapter.renew(again), "it is deleted, so no other consumer receives it"
        assert again.leased_until == float("inf")


async def test_a_released_message_is_visible_at_once(azurite: Azurite, queue_name: str) -> None:
    """Not when its lease would have ended; a release with a stale receipt has no effect."""
    async with (
        opened(azurite, queue_name, visibility_s=3600) as adapter,
        queue_client(azurite.connection_string, queue_name) as other,
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


async def test_a_poison_copy_has_the_same_text_and_never_expires(
    azurite: Azurite, queue_name: str
) -> None:
    """Mark-up, quotes, white space, emoji, Base64, nothing, 64 KiB."""
    async with (
        opened(azurite, queue_name) as adapter,
        queue_client(azurite.connection_string, queue_name) as other,
    ):
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


async def test_existing_queues_need_no_right_to_create_queues(
    azurite: Azurite, queue_name: str
) -> None:
    """A shared access signature for messages is enough."""
    async with opened(azurite, queue_name) as maker:
        await maker.receive(1)
    async with queue_client(azurite.connection_string, queue_name) as writer:
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

    async with AzureQueue(chosen) as adapter:
        (message,) = await adapter.receive(32)
        await adapter.put_poison(message)
        assert await adapter.delete(message) is DeleteResult.DELETED


async def test_queues_that_were_deleted_are_created_again(
    azurite: Azurite, queue_name: str
) -> None:
    """The operation that finds one missing raises QueueUnavailable; the next receive creates it."""
    async with opened(azurite, queue_name) as adapter:
        await adapter.receive(1)
        async with queue_client(azurite.connection_string, queue_name) as other:
            await other.send_message("what?")
            (message,) = await adapter.receive(1)
            await other.delete_queue()
        for operation in (adapter.delete, adapter.renew, adapter.release):
            with pytest.raises(QueueUnavailable, match="QUEUE_NAME"):
                await operation(message)
        assert await adapter.receive(32) == []

        async with queue_client(azurite.connection_string, f"{queue_name}-poison") as other:
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
async def test_a_wrong_account_or_key_is_denied_with_the_setting_to_check(
    azurite: Azurite, queue_name: str, right: str, wrong: str
) -> None:
    """The message does not contain the key."""
    assert right in azurite.connection_string
    given = azurite.connection_string.replace(right, wrong)
    async with AzureQueue(settings(given, queue_name)) as adapter:
        with pytest.raises(QueueDenied, match="AZURE_STORAGE_CONNECTION_STRING") as caught:
            await adapter.receive(1)

    assert "MGw==" not in str(caught.value)


async def test_an_address_without_a_server_is_unavailable_at_once(queue_name: str) -> None:
    """Not after the SDK's minute of retries; the message names the address and the setting."""
    port = ports.free()
    given = (
        f"AccountName=a;AccountKey=AAAA;QueueEndpoint=http://127.0.0.1:{port}/a;"
        "DefaultEndpointsProtocol=http"
    )
    async with AzureQueue(settings(given, queue_name)) as adapter:
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises(QueueUnavailable, match=f"127.0.0.1:{port}") as caught:
                await adapter.receive(1)

    assert "AZURE_STORAGE_CONNECTION_STRING" in str(caught.value)


async def test_the_api_version_is_one_that_azurite_accepts(queue_name: str) -> None:
    """It refuses the SDK's default, which is newer."""
    strict = Azurite()
    strict.command.remove("--skipApiVersionCheck")
    async with strict, opened(strict, queue_name) as adapter:
        assert await adapter.receive(1) == []
