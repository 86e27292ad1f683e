"""Connection strings as people copy them: corrected, or refused without showing the secret."""

import pytest
from azure.storage.queue import QueueClient
from hypothesis import given
from hypothesis import strategies as st

from azure_queue.connection_string import normalize_connection_string
from azure_queue.development_account import ACCOUNT_KEY, connection_string

ENDPOINT = "http://127.0.0.1:10001/devstoreaccount1"
KEY = connection_string()
SAS = f"QueueEndpoint={ENDPOINT};SharedAccessSignature=sv=2025-11-05&sig=a%2Bb%3D"


def client(text: str) -> QueueClient:
    """The SDK's client for a string."""
    return QueueClient.from_connection_string(normalize_connection_string(text), "pillow-state")


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        KEY.replace(";", "; "),
        KEY.replace(";AccountKey", ";\nAccountKey"),
        KEY.replace("Eby8", "Eby8\r\n"),
        KEY.replace("==", ""),
        KEY.replace("AccountKey", "accountkey"),
        KEY.replace(f"{ENDPOINT};", f"{ENDPOINT}/;"),
        "UseDevelopmentStorage=true",
        "UseDevelopmentStorage=true;",
        "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://127.0.0.1",
    ],
)
def test_a_string_with_a_key_names_account_key_and_queue(text: str) -> None:
    """However it was copied."""
    found = client(text)

    assert found.url == f"{ENDPOINT}/pillow-state"
    assert found.credential.account_key == ACCOUNT_KEY


@pytest.mark.parametrize(
    "text", [SAS, SAS.replace("=sv", "=?sv"), SAS.replace(";", "/;"), f"{SAS};"]
)
def test_a_string_with_a_shared_access_signature_keeps_it(text: str) -> None:
    """The portal and PowerShell write a question mark before it."""
    assert client(text).url == f"{ENDPOINT}/pillow-state?sv=2025-11-05&sig=a%2Bb%3D"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("BlobEndpoint=https://x.blob.core.windows.net/;SharedAccessSignature=s3cret", "no queue"),
        ("AccountName=x;EndpointSuffix=core.windows.net", "neither AccountKey nor Shared"),
        ("AccountName=x;AccountKey=s3cret*", "not Base64"),
        ("AccountName=x;AccountKey=", "an empty AccountKey"),
        (f"QueueEndpoint={ENDPOINT};AccountKey=s3cr", "no AccountName"),
        ("QueueEndpoint=x;SharedAccessSignature=s3cret", "no http:// or https:// address"),
        ("s3cret", "is not of the form"),
        ("", "names no queue"),
    ],
)
def test_a_string_that_cannot_work_is_refused_without_its_secret(text: str, says: str) -> None:
    """The sentence says what is missing."""
    with pytest.raises(ValueError, match=says) as refused:
        normalize_connection_string(text)
    assert "s3cr" not in str(refused.value)


@given(st.text() | st.text().map("QueueEndpoint=http://h;AccountName=a;AccountKey=".__add__))
def test_any_text_gives_a_string_or_a_value_error(text: str) -> None:
    """And a string that was normalised is not changed again."""
    try:
        found = normalize_connection_string(text)
    except ValueError:
        return
    assert normalize_connection_string(found) == found
