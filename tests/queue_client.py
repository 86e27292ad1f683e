"""The SDK's client of a queue, as a program outside this project would use it."""

from azure.storage.queue.aio import QueueClient

from azure_queue.service import API_VERSION


def queue_client(connection_string: str, queue: str) -> QueueClient:
    """Return a client without retries, to be entered as a context manager.

    Each request has a connection of its own: Azurite ends one after five idle seconds, perhaps at
    the moment of the next request.
    """
    return QueueClient.from_connection_string(
        connection_string,
        queue,
        api_version=API_VERSION,
        retry_total=0,
        use_env_settings=False,
        headers={"Connection": "close"},
    )
