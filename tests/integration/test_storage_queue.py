"""One queue of a storage account, on a real Azurite."""

import asyncio
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from azure_queue.account import StorageAccount
from azure_queue.development_account import connection_string
from azure_queue.errors import MessageNotFound, PopReceiptMismatch, QueueDenied, QueueNotFound
from azure_queue.settings import QueueSettings
from azure_queue.storage_queue import StorageQueue
from devstack import ports
from devstack.azurite import Azurite


def storage_queue(azurite: Azurite, name: str) -> StorageQueue:
    """A queue of this Azurite."""
    settings = QueueSettings.load(
        AZURE_STORAGE_CONNECTION_STRING=SecretStr(azurite.connection_string)
    )
    return StorageAccount(settings).queue(name)


async def test_a_queue_is_created_once_and_a_second_create_is_no_error(
    azurite: Azurite, queue_name: str
) -> None:
    """Before that, every operation raises QueueNotFound."""
    async with storage_queue(azurite, queue_name) as queue:
        for operation in (
            queue.properties(),
            queue.peek(),
            queue.receive(1, 30),
            queue.put("x", 9),
        ):
            with pytest.raises(QueueNotFound):
                await operation
        await queue.create()
        await queue.create()

        assert (await queue.properties()).message_count == 0


async def test_peek_and_receive_return_the_same_message_though_one_is_the_sdk_s(
    azurite: Azurite, queue_name: str
) -> None:
    """A peek has no pop receipt and does not count."""
    async with storage_queue(azurite, queue_name) as queue:
        await queue.create()
        message_id = await queue.put(" <☁> &\r\n", 60)
        [peeked] = await queue.peek()
        [received], time = await queue.receive(32, 30)

        assert peeked.id == received.id == message_id
        assert peeked.text == received.text == " <☁> &\r\n"
        assert peeked.inserted_us == received.inserted_us
        assert (peeked.pop_receipt, peeked.dequeue_count, received.dequeue_count) == ("", 0, 1)
        now_us = datetime.now(UTC).timestamp() * 1e6
        for service_time_us in (
            time.date_us,
            time.leased_us,
            (await queue.properties()).service_time_us,
        ):
            assert service_time_us is not None
            assert abs(now_us - service_time_us) < 30e6


async def test_only_the_newest_pop_receipt_updates_or_deletes_a_message(
    azurite: Azurite, queue_name: str
) -> None:
    """The operations of the SDK and those of the REST client raise the same exceptions."""
    async with storage_queue(azurite, queue_name) as queue:
        await queue.create()
        await queue.put("x", 60)
        [message], _ = await queue.receive(1, 30)
        newest = await queue.update_visibility(message.id, message.pop_receipt, 30)
        for operation in (
            queue.update_visibility(message.id, message.pop_receipt, 0),
            queue.delete(message.id, message.pop_receipt),
        ):
            with pytest.raises(PopReceiptMismatch):
                await operation

        await queue.delete(message.id, newest)
        for operation in (
            queue.update_visibility(message.id, newest, 0),
            queue.delete(message.id, newest),
        ):
            with pytest.raises(MessageNotFound):
                await operation


async def test_both_clients_report_a_wrong_key_with_the_same_message(
    azurite: Azurite, queue_name: str
) -> None:
    """It names the setting to check."""
    wrong = azurite.connection_string.replace("AccountKey=Eby8", "AccountKey=AAAA")
    settings = QueueSettings.load(AZURE_STORAGE_CONNECTION_STRING=SecretStr(wrong))
    messages = []
    async with StorageAccount(settings).queue(queue_name) as queue:
        for operation in (queue.create(), queue.put("x", 60)):
            with pytest.raises(QueueDenied) as caught:
                await operation
            messages.append(str(caught.value))

    assert messages[0] == messages[1]
    assert "check AZURE_STORAGE_CONNECTION_STRING" in messages[0]


@pytest.mark.parametrize("date", ["", "Date: 1 Jan 1970 00:00:00 -0000\r\n"])
async def test_the_depth_does_not_need_the_service_s_time(date: str) -> None:
    """A proxy may leave out the Date of a response, or its time zone."""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            f"HTTP/1.1 200 OK\r\n{date}x-ms-approximate-messages-count: 7\r\n"
            "Content-Length: 0\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(respond, ports.HOST, 0)
    port = server.sockets[0].getsockname()[1]
    settings = QueueSettings.load(
        AZURE_STORAGE_CONNECTION_STRING=SecretStr(connection_string(port))
    )
    async with server, StorageAccount(settings).queue("states") as queue:
        assert (await queue.properties()).message_count == 7
