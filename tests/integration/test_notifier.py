"""The notifier between real mosquitto and a receiver that fails in every way."""

import asyncio
import base64
import re
import ssl
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from standardwebhooks import Webhook

from contract.dead_letters import DeadLetterAnnouncement, encode_announcement
from contract.queue_report import QueueReport, encode_queue_report
from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from devstack.certificates import certificate_for_loopback
from devstack.probes import tcp_accepts
from devstack.processes import ROOT, Program
from notifier.detect.marks import Mark, Silence
from notifier.outbox.delivery import Batch
from notifier.outbox.outbox_file import OutboxFile
from tests.gate import Gate
from tests.notifier import (
    EPOCH_US,
    Notifier,
    Pillows,
    Receiver,
    answer,
    answer_slowly,
    cut,
    hang,
    hugs_to,
    pillows_of,
    receiving,
)
from tests.poller import Poller
from tests.waiting import eventually, until

pytestmark = pytest.mark.timeout(300)

KEY = b"a key of thirty-two bytes or so."


@pytest.fixture
async def pillows(broker: Broker, prefix: str) -> AsyncIterator[Pillows]:
    """Pillows on a prefix of their own."""
    async with pillows_of(broker, prefix) as connected:
        yield connected


async def test_every_kind_of_event_arrives_signed_and_once(
    broker: Broker, prefix: str, pillows: Pillows, tmp_path: Path
) -> None:
    """As a CloudEvent that the official library reads, and with a signature that verifies."""
    (tmp_path / "secret").write_text(f"whsec_{base64.b64encode(KEY).decode()}\n")
    rules = """
        [[rule]]
        name = "gone"
        on = "offline"
        longer_than = "6s"
        also_back = true
        to = "house0"
        [[rule]]
        name = "letters"
        on = "dead-letter"
        to = "house0"
        [[rule]]
        name = "old"
        on = "queue"
        older_than = "30s"
        to = "house0"
    """
    letter = DeadLetterAnnouncement("m-1", "malformed", "no JSON", 1, "2026-01-01T00:00:00Z", "{")
    await pillows.report("hugging")  # retained, and no event therefore
    await pillows.publish_as_poller(pillows.topics.status("poller", "box"), b"online")
    async with receiving() as receiver:
        text = hugs_to(receiver, options='secret_file = "secret"') + rules
        async with Notifier(tmp_path, text, prefix, broker):
            await pillows.report("neutral")
            await pillows.report("hugging")
            await pillows.report("hugging")
            await receiver.received(2)  # the hug, and the silence behind it
            await pillows.report("neutral")
            await pillows.publish_as_poller(
                pillows.topics.dead_letter("box"), encode_announcement(letter), retain=False
            )
            await pillows.publish_as_poller(
                pillows.topics.queue("box"), encode_queue_report(QueueReport(31))
            )
            await receiver.received(6)

    for request in receiver.requests:
        assert Webhook(KEY).verify(request.body, request.headers)
        read = from_structured_event(HTTPMessage(request.headers, request.body))
        assert read.get_id() == request.headers["webhook-id"]
    kinds = [request.event["type"].removeprefix("pillowcast.") for request in receiver.requests]
    assert kinds[:3] == ["pillow.state", "pillow.offline", "pillow.back"]
    assert sorted(kinds[3:]) == ["message.dead-lettered", "pillow.offline", "queue.old"]
    assert len(set(receiver.ids)) == len(receiver.ids)


async def test_each_failure_is_tried_again_with_the_same_id_and_in_order(
    broker: Broker, prefix: str, pillows: Pillows, tmp_path: Path
) -> None:
    """A refused connection, 500, a cut connection, a slow answer, none at all, and a redirect."""
    behaviours = [
        answer("500 Broken", body=b"try later"),
        cut,
        answer_slowly,
        hang,
        answer("307 Elsewhere", "Location: http://127.0.0.1:1/"),
    ]
    receiver = Receiver(behaviours=behaviours)
    # An answer of this process, which may be busy, is not as slow.
    rules = hugs_to(receiver, options='timeout = "6s"\nretry_max = "0.2s"')
    async with Notifier(tmp_path, rules, prefix, broker) as notifier:
        await pillows.hug(2)
        await notifier.log.wait_for("an event cannot be delivered now", within_s=20)

        async def says_two() -> bool:
            return "; 2 waiting" in (await notifier.get("/readyz")).text

        # The first one may have failed before the second one happened.
        await eventually(says_two, "two events wait")
        await receiver.open()
        await receiver.received(7)
        await notifier.until_metric('delivered_events_total{destination="house0"}', 2)
        assert (await notifier.get("/readyz")).json()["dependencies"]["destinations"] == "ok"
    await receiver.close()

    assert len(set(receiver.ids[:6])) == 1
    assert receiver.ids[6] != receiver.ids[0]
    timestamps = [int(one.headers["webhook-timestamp"]) for one in receiver.requests]
    assert timestamps == sorted(timestamps)
    assert notifier.log.text.count("an event cannot be delivered now") == 1
    assert "events are delivered again" in notifier.log.text


async def test_retry_after_is_respected_and_delays_no_other_destination(
    broker: Broker, prefix: str, pillows: Pillows, tmp_path: Path
) -> None:
    """One destination asks for a pause, another never answers, a third gets everything at once."""
    pause_s = 15
    busy = answer("429 Too Many", f"Retry-After: {pause_s}")
    async with (
        receiving(busy) as slow,
        receiving(usually=hang) as stuck,
        receiving() as quick,
        Notifier(tmp_path, hugs_to(slow, stuck, quick, options='timeout = "60s"'), prefix, broker),
    ):
        began_s = asyncio.get_running_loop().time()
        await pillows.hug(10)
        await quick.received(10)
        quick_s = asyncio.get_running_loop().time() - began_s
        await slow.received(11)
        slow_s = asyncio.get_running_loop().time() - began_s

    assert slow_s >= pause_s > quick_s
    assert slow.ids[1:] == quick.ids
    assert len(stuck.requests) == 1


async def test_410_ends_it_until_a_person_says_otherwise(
    broker: Broker, prefix: str, pillows: Pillows, tmp_path: Path
) -> None:
    """Later events are dead letters without a request; they can be listed, shown and sent."""
    async with receiving(usually=answer("410 Gone")) as receiver:
        notifier = Notifier(tmp_path, hugs_to(receiver), prefix, broker)
        async with notifier:
            await pillows.hug(3)
            await notifier.until_metric('dead_lettered_events_total{destination="house0"}', 3)
            assert len(receiver.requests) == 1
            assert "410 Gone" in (await notifier.get("/readyz")).text

            listed, _, status = await notifier.run_command("dead-letters", "list")
            assert status == 0
            numbers = [line.split()[0] for line in listed.splitlines()[1::2]]
            assert len(numbers) == 3
            shown, _, _ = await notifier.run_command("dead-letters", "show", numbers[0])
            assert '"text": "cloud-1: Hugging"' in shown
            deleted, _, _ = await notifier.run_command("dead-letters", "delete", numbers[0])
            assert deleted == "1 deleted.\n"
            receiver.usually = answer("200 OK")
            out, _, status = await notifier.run_command("dead-letters", "retry", "--all")
            assert (out[:10], status) == ("2 put back", 0)
            await notifier.until_metric('delivered_events_total{destination="house0"}', 2)
            await pillows.hug()
            await receiver.received(4)
        _, error, status = await notifier.run_command("dead-letters", "retry", numbers[0])

    assert receiver.ids[0] == receiver.ids[1]
    assert (status, "no dead letter has the number" in error) == (1, True)


async def test_a_kill_loses_no_event_and_repeats_none_that_was_told(
    broker: Broker, prefix: str, pillows: Pillows, tmp_path: Path
) -> None:
    """Killed with a request under way, with events that wait, and with a silence that was told."""
    async with receiving(usually=hang) as receiver:
        gone = '[[rule]]\nname = "gone"\non = "offline"\nlonger_than = "6s"\nto = "house0"\n'
        rules = hugs_to(receiver, options='timeout = "60s"') + gone
        notifier = Notifier(tmp_path, rules, prefix, broker)
        await notifier.start()
        await pillows.hug(5)
        await receiver.received(1)
        await notifier.until_metric('events_total{rule="gone"}', 1)
        await notifier.until_metric('waiting_events{destination="house0"}', 6)
        await notifier.kill_now()
        await pillows.report("neutral")
        receiver.usually = answer("200 OK")
        async with notifier:
            await notifier.until_metric('delivered_events_total{destination="house0"}', 6)
            # It is silent still, and that was told; another one's silence is news.
            await pillows.report("neutral", "cloud-2")
            await notifier.until_metric('events_total{rule="gone"}', 1)
            await receiver.received(8)

    assert receiver.requests[-1].event["subject"] == "cloud-2"
    assert len(set(receiver.ids)) == 7
    assert receiver.ids[0] == receiver.ids[1]


async def test_a_restart_does_not_make_a_silence_shorter(
    broker: Broker, prefix: str, pillows: Pillows, tmp_path: Path
) -> None:
    """What was silent for 595 s when it stopped is told to be offline five seconds after it ran."""
    gone = '[[rule]]\nname = "gone"\non = "offline"\nlonger_than = "10m"\nto = "house0"\n'
    async with receiving() as receiver:
        notifier = Notifier(tmp_path, hugs_to(receiver) + gone, prefix, broker)
        async with notifier:
            await pillows.report("neutral")
            await notifier.until_metric('received_total{outcome="state"}', 1)
        path = tmp_path / "outbox.db"
        kept = Silence("cloud-1", 595_000, False, False, (EPOCH_US + 1_000_000, 0, -1))
        outbox = OutboxFile(path)
        assert outbox.load().marks == [Mark("alive", "", "cloud-1")]
        outbox.commit(Batch(silences=[kept]), 10)
        outbox.close()
        for _ in range(2):  # and what is not told yet is kept at each stop
            async with notifier:
                await notifier.until_metric("pillows", 1)
        async with notifier:
            [request] = await receiver.received(1)

    assert request.event["type"] == "pillowcast.pillow.offline"
    assert 600 <= request.event["data"]["silent_seconds"] < 610


async def test_a_disk_that_fails_is_said_and_events_are_delivered_all_the_same(
    broker: Broker, prefix: str, pillows: Pillows, tmp_path: Path
) -> None:
    """The file cannot grow; afterwards everything is written again."""
    async with receiving() as receiver:
        notifier = Notifier(tmp_path, hugs_to(receiver), prefix, broker)
        async with notifier:
            pass  # it makes its file while there is room
        notifier.limit_file_size(48)
        async with notifier:
            for _ in range(40):
                await pillows.hug(5)
                if "the outbox cannot be written" in notifier.log.text:
                    break
            await notifier.log.wait_for("the outbox cannot be written", within_s=20)
            known = len(receiver.requests)
            await pillows.hug(3)
            await receiver.received(known + 3)
            response = await notifier.get("/readyz")
            assert response.status_code == 503
            assert "events are kept in memory" in response.json()["dependencies"]["outbox"]
            assert await notifier.metric("outbox_up") == 0


async def test_an_outage_of_the_broker_is_no_silence_and_what_changed_meanwhile_is_told(
    broker: Broker, prefix: str, pillows: Pillows, tmp_path: Path
) -> None:
    """The retained state is compared with the one that was known."""
    gone = '[[rule]]\nname = "gone"\non = "offline"\nlonger_than = "8s"\nto = "house0"\n'
    loop = asyncio.get_running_loop()
    async with Gate(broker.port) as gate, receiving() as receiver:
        url = broker.url_for("notifier", port=gate.port)
        notifier = Notifier(tmp_path, hugs_to(receiver) + gone, prefix, broker, MQTT_URL=url)
        async with notifier:
            await pillows.report("neutral")
            await notifier.until_metric('received_total{outcome="state"}', 1)
            await gate.close()
            cut_s = loop.time()
            await notifier.until_metric("broker_up", 0)
            await pillows.report("hugging")
            await until(
                lambda: loop.time() > cut_s + 9, "more than the time of a silence", within_s=20
            )
            assert receiver.requests == []
            assert (await notifier.get("/readyz")).status_code == 503
            await gate.open()
            await receiver.received(2)

    kinds = [request.event["type"] for request in receiver.requests]
    assert kinds == ["pillowcast.pillow.state", "pillowcast.pillow.offline"]


async def test_wrong_settings_and_rules_end_with_exit_status_2(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """Each wrong one is named; a second notifier on the same outbox is refused."""
    async with receiving() as receiver:
        rules = hugs_to(receiver)
        notifier = Notifier(tmp_path, rules, prefix, broker)
        async with notifier:
            _, error, status = await notifier.run_command()
            assert status == 2
            assert "NOTIFIER_PORT" in error
            notifier.env["NOTIFIER_PORT"] = "0"
            _, error, status = await notifier.run_command()
            assert (status, "another notifier uses it" in error) == (2, True)
        notifier.rules.write_text(rules.replace('"hugging"', '"huging"').replace("true", "false"))
        _, error, status = await notifier.run_command()

    assert status == 2
    assert f"NOTIFIER_RULES = {notifier.rules} cannot be used:" in error
    assert "state 'huging' does not exist" in error
    assert "destination.house0.url is not encrypted" in error


async def test_check_validates_and_sends_a_test_event(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """Without a broker, and to the destinations that are named."""
    async with receiving() as receiver, receiving(usually=answer("500 No")) as broken:
        notifier = Notifier(tmp_path, hugs_to(receiver, broken), prefix, broker)
        out, _, status = await notifier.run_command("check")
        assert (status, receiver.requests) == (0, [])
        assert "hugs: state hugging → house0, house1" in out
        out, _, status = await notifier.run_command("check", "--send", "house0")
        assert (status, "delivered" in out) == (0, True)
        out, _, status = await notifier.run_command("check", "--send")
        assert (status, "HTTP 500" in out) == (1, True)
        _, error, status = await notifier.run_command("check", "--send", "huose")

    assert receiver.requests[0].event["type"] == "pillowcast.test"
    assert (status, "there is no destination 'huose'" in error) == (2, True)


async def test_an_address_that_is_private_is_not_asked_unless_it_is_allowed(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """Also where a name is resolved to it."""
    async with receiving() as receiver:
        rules = hugs_to(receiver).replace("http://", "https://").replace("true", "false")
        notifier = Notifier(tmp_path, rules.replace(ports.HOST, "localhost"), prefix, broker)
        out, _, status = await notifier.run_command("check", "--send")

    assert status == 1
    assert "is an address of a private network; private = true in [destination.house0]" in out
    assert receiver.requests == []


async def test_a_certificate_is_verified(broker: Broker, prefix: str, tmp_path: Path) -> None:
    """By the authorities of the system, or by those of the destination."""
    chain, key = certificate_for_loopback(tmp_path / "tls")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    receiver = Receiver(tls=context)
    await receiver.open()
    url = receiver.url.replace("http://", "https://")
    rules = hugs_to(receiver).replace(receiver.url, url)
    notifier = Notifier(tmp_path, rules, prefix, broker)
    out, _, status = await notifier.run_command("check", "--send")
    assert (status, "CERTIFICATE_VERIFY_FAILED" in out) == (1, True), out
    notifier.rules.write_text(rules.replace(f'"{url}"', f'"{url}"\nca_file = "tls/ca.pem"'))
    (tmp_path / "tls/ca.pem").write_bytes(chain.read_bytes())
    out, error, status = await notifier.run_command("check", "--send")
    await receiver.close()

    assert (status, "delivered" in out) == (0, True), out + error


async def test_an_old_queue_is_told_by_what_its_poller_says(
    azurite: Azurite, broker: Broker, queue_name: str, prefix: str, tmp_path: Path
) -> None:
    """The poller is killed, and started again."""
    rules = """
        [[rule]]
        name = "old"
        on = "queue"
        older_than = "1s"
        also_back = true
        to = "house0"
    """
    account = azurite.connection_string
    async with receiving() as receiver:
        poller = Poller(queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=account)
        async with poller, Notifier(tmp_path, hugs_to(receiver) + rules, prefix, broker):
            poller.kill()
            await poller.wait()
            [request] = await receiver.received(1)
            assert request.event["data"]["reason"] == "no-poller"
            await poller.start()
            await receiver.received(2)

    kinds = [one.event["type"] for one in receiver.requests]
    assert kinds == ["pillowcast.queue.old", "pillowcast.queue.recovered"]


async def test_no_secret_is_in_the_log_in_metrics_or_in_readiness(
    broker: Broker, prefix: str, pillows: Pillows, tmp_path: Path
) -> None:
    """Neither URL nor token nor key, at debug level, whatever the answer quotes."""
    secret, token = f"whsec_{base64.b64encode(KEY).decode()}", "tk_0123456789abcdef"
    async with receiving() as receiver:
        url = f"{receiver.url}/very-secret-path?code=of-the-hook"
        for name, text in (("url", url), ("secret", secret), ("token", token)):
            (tmp_path / name).write_text(text)
        receiver.usually = answer("500 No", body=f"{url} {token} {secret}".encode())
        options = 'url_file = "url"\nsecret_file = "secret"\ntoken_file = "token"'
        rules = hugs_to(receiver, options=options).replace(f'url = "{receiver.url}"\n', "")
        async with Notifier(tmp_path, rules, prefix, broker, LOG_LEVEL="debug") as notifier:
            await pillows.hug()
            await receiver.received(2)
            texts = [
                (await notifier.get(path)).text for path in ("/readyz", "/metrics", "/ops/about")
            ]
            checked = await notifier.run_command("check", "--send")
    texts += [notifier.log.text, *map(str, checked)]

    assert receiver.requests[0].headers["authorization"] == f"Bearer {token}"
    for text in texts:
        assert "very-secret-path" not in text
        assert token not in text
        assert secret not in text


async def test_the_receiver_of_the_documentation_verifies_signatures(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """It takes what is signed with its secret, and nothing else."""
    page = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    receiver = Receiver()
    secret = f"whsec_{base64.b64encode(KEY).decode()}"
    program = Program(
        "receiver",
        [sys.executable, "-c", code.replace("9000", str(receiver.port))],
        env={"WEBHOOK_SECRET": secret},
        ready=partial(tcp_accepts, ports.HOST, receiver.port),
    )
    (tmp_path / "secret").write_text(secret)
    rules = hugs_to(receiver, options='secret_file = "secret"')
    async with program:
        notifier = Notifier(tmp_path, rules, prefix, broker)
        out, _, status = await notifier.run_command("check", "--send")
        assert (status, "delivered" in out) == (0, True)
        await program.log.wait_for("This is a test event", within_s=20)
        (tmp_path / "secret").write_text(f"whsec_{base64.b64encode(KEY[::-1]).decode()}")
        out, _, status = await notifier.run_command("check", "--send")

    assert (status, "HTTP 401" in out) == (1, True)
