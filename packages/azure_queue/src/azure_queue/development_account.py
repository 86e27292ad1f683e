"""The storage account that every Azurite serves. Its key is public and documented. Pure."""

from typing import Final

ACCOUNT_NAME: Final = "devstoreaccount1"
ACCOUNT_KEY: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


def queue_endpoint(port: int = 10001) -> str:
    """Return the URL of the account's queues on an Azurite of this machine."""
    return f"http://127.0.0.1:{port}/{ACCOUNT_NAME}"


def connection_string(port: int = 10001) -> str:
    """Return the value of AZURE_STORAGE_CONNECTION_STRING for an Azurite of this machine."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT_NAME};AccountKey={ACCOUNT_KEY};"
        f"QueueEndpoint={queue_endpoint(port)};"
    )
