"""The development account: the values that Azurite documents."""

from azure.storage.queue import QueueClient

from azure_queue import development_account
from azure_queue.service import API_VERSION


def test_the_sdk_reads_the_account_and_the_address_from_the_connection_string() -> None:
    """The SDK knows the same account by the name UseDevelopmentStorage."""
    text = development_account.connection_string()
    client = QueueClient.from_connection_string(text, "some-queue", api_version=API_VERSION)

    assert client.account_name == development_account.ACCOUNT_NAME
    assert client.url == f"{development_account.queue_endpoint()}/some-queue"
    assert client.credential.account_key == development_account.ACCOUNT_KEY
