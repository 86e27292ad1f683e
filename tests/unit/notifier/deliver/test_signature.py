"""The headers of Standard Webhooks, as its own library verifies them."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from notifier.deliver.signature import webhook_headers

keys = st.binary(min_size=24, max_size=64).filter(lambda key: not key.startswith(b"another"))


@given(keys, keys, st.text(max_size=50))
def test_each_key_verifies_and_no_other_does(old: bytes, new: bytes, text: str) -> None:
    body = b'{"text":"%b"}' % base64.b64encode(text.encode())
    headers = webhook_headers("evt_1", int(time.time()), body, (old, new))

    for key in (old, new):
        assert Webhook(key).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(b"another key of 24 bytes or more").verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(body, {**headers, "webhook-id": "evt_2"})


def test_the_signature_is_that_of_the_specification() -> None:
    """HMAC-SHA256 of id, time and body, joined by full stops."""
    headers = webhook_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        (base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),),
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_without_a_key_there_is_no_signature() -> None:
    assert "webhook-signature" not in webhook_headers("evt_1", 1, b"", ())
