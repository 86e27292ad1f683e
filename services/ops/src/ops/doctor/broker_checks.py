"""Checks of the broker: address, TLS, sign-in, and what the user may read and write."""

from typing import Final

from contract.home_assistant import DiscoveryTopics
from contract.topics import Topics
from ops.broker_view import BrokerReader
from ops.certificates import file_days_left, server_days_left
from ops.doctor.subject import Subject
from ops.findings import Findings
from poller.settings import PollerSettings
from runtime.broker_url import BrokerAddress
from runtime.mqtt import BrokerLost, BrokerUnusable
from runtime.tls import tls_context, verification_advice

SOON_DAYS: Final = 21
"""A certificate that ends sooner has to be renewed now."""

ACL_ADVICE: Final = (
    "check the broker's ACL and the user in MQTT_URL; docs/security.md has the table"
)


async def check_broker(subject: Subject, found: Findings) -> None:
    """Check the broker of the settings."""
    settings = subject.common
    if settings is None:
        found.unknown("address", "the settings cannot be used")
        return
    broker, reader = settings.broker, BrokerReader(settings)
    found.asked = str(broker)
    if broker.tls:
        await _check_certificates(broker, found)
    try:
        async with reader.guest.connected():
            user = f"user {broker.user}" if broker.user else "without a user"
            found.ok("sign-in", f"{broker} accepts MQTT {settings.mqtt_protocol}, {user}")
            await reader.guest.subscribe([reader.status_filter, reader.topics.all_availability])
            found.ok("subscriptions", "the broker grants them")
            await reader.guest.settle()
            _add_statuses(reader, found)
            await _check_rights(reader, subject, found)
    except (BrokerLost, BrokerUnusable) as error:
        found.wrong("connection", f"{broker}: {error}", _advice(str(error), broker))


def _advice(why: str, broker: BrokerAddress) -> str:
    if "check" in why or "set MQTT" in why or "must be" in why or "renew" in why:
        return ""  # the sentence has it
    if "Name or service" in why or "not known" in why:
        return f"start the broker, or correct MQTT_URL: {broker.host} has no address now"
    return f"start the broker, or correct MQTT_URL: {broker}"


def _add_statuses(reader: BrokerReader, found: Findings) -> None:
    for service in ("poller", "gateway", "notifier"):
        online = reader.view.instances(service)
        offline = reader.view.instances(service, "offline")
        if service == "notifier" and not (online or offline):
            continue  # few have one
        if online:
            found.ok(f"{service}s", f"online: {', '.join(online)}")
        else:
            gone = f"; offline: {', '.join(offline)}" if offline else ""
            found.wrong(
                f"{service}s",
                f"none is online on this broker{gone}",
                f"start a {service}, or let it use this broker and TOPIC_PREFIX",
            )
        if online and offline:
            found.note(
                f"{service}s that are gone",
                ", ".join(offline),
                "nothing, or remove what they retain: docs/operating.md",
            )


async def _check_rights(reader: BrokerReader, subject: Subject, found: Findings) -> None:
    """Try what the user must be able to write, with messages that no service takes for its own."""
    settings = subject.common
    assert settings is not None
    user = settings.broker.user
    topics = rights_of(user, reader.topics, settings.instance)
    if user == "poller" and subject.poller is not None:
        _follow_settings(topics, subject.poller, reader.topics)
    if not topics:
        found.note(
            "rights",
            f"{f'user {user}' if user else 'no user'}: only reading was tried",
            "for what a service may write, run it with that service's MQTT_URL and password",
        )
        return
    if settings.mqtt_protocol != "5":
        found.note("rights", "a broker cannot refuse a publish of MQTT 3.1.1 in words", "")
        return
    for what, topic in topics.items():
        refusal = await reader.guest.may_publish(topic)
        if refusal is None:
            found.ok(f"right to write {what}", topic)
        else:
            found.wrong(f"right to write {what}", refusal, ACL_ADVICE)


def _follow_settings(rights: dict[str, str], poller: PollerSettings, topics: Topics) -> None:
    """Leave out what the poller does not write with its settings, and add what it does."""
    if not poller.silence_s:
        del rights["availability"]  # POLLER_OFFLINE_AFTER=0
    if prefix := poller.home_assistant_prefix:
        rights["devices of Home Assistant"] = DiscoveryTopics(prefix, topics).config("_doctor")


def rights_of(user: str | None, topics: Topics, instance: str) -> dict[str, str]:
    """Return a topic for each thing that a service's user must be able to write.

    No pillow has an id with an underscore, so that services ignore the message.
    """
    state = topics.state("_doctor")
    own = f"{instance[:56]}-doctor"
    return {
        "poller": {
            "states": state,
            "availability": topics.availability("_doctor"),
            "marks": topics.mark("poller", own),
        },
        "gateway": {
            "marks": topics.mark("gateway", own),
            "how many clients look": topics.watching(own),
        },
        "simulator": {"states": state, "marks": topics.mark("simulator", own)},
        "operator": {"states, to remove pillows": state},
    }.get(user or "", {})


async def _check_certificates(broker: BrokerAddress, found: Findings) -> None:
    certificate = broker.tls_files.certificate
    try:
        if certificate is not None:
            add_days_left(found, "client's certificate", file_days_left(certificate), certificate)
        days = await server_days_left(broker.host, broker.port, tls_context(broker.tls_files))
        add_days_left(found, "broker's certificate", days, str(broker))
    except (OSError, ValueError) as error:
        advice = verification_advice(error) if isinstance(error, OSError) else ""
        found.wrong("certificate", f"{broker}: {error}", advice.lstrip("; "))


def add_days_left(found: Findings, name: str, days: float, what: str) -> None:
    """Add for how long a certificate is valid."""
    if days < 0:
        found.wrong(name, f"{what}: expired {-days:.0f} days ago", "renew it")
    elif days < SOON_DAYS:
        found.wrong(name, f"{what}: ends in {days:.1f} days", "renew it now")
    else:
        found.ok(name, f"{what}: valid for another {days:.0f} days")
