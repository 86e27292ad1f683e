"""What the planner sends to new, resumed and paused subscribers."""

from contract.cursors import Cursor
from contract.frames import RECONNECT_MS, Goodbye, Removed, Snapshot, Status, Updates
from gateway.fanout.positions import ResumePoint
from gateway.state.state_store import MAX_TOMBSTONES
from tests.unit.gateway.fanout.planners import NOW, change_of, flush, make, removal_of
from tests.unit.gateway.subscribers import Client, deliver


def test_cursors_of_another_process_or_of_the_future_share_a_full_snapshot() -> None:
    """After a restart each client has another cursor, and the store covers none of them."""
    store, planner = make()
    change_of(store, "cloud-1", 1)
    clients = [Client(planner, None, Cursor("gone", number)) for number in range(5)]
    clients.append(Client(planner, None, store.cursor._replace(offset=99)))

    (write,) = planner.flush(NOW)

    assert list(write.subscribers) == clients
    assert write.kind == "snapshot"


def test_a_recovered_snapshot_is_followed_by_the_removals() -> None:
    """A snapshot cannot carry them."""
    store, planner = make()
    change_of(store, "cloud-1", 1)
    change_of(store, "cloud-2", 2)
    store.remove("cloud-1")
    client = Client(planner, None, Cursor("ep", 1))
    flush(planner)

    snapshot, removed = client.take_frames()

    assert isinstance(snapshot, Snapshot)
    assert snapshot.recovered
    assert [state["pillow"] for state in snapshot.pillows] == ["cloud-2"]
    assert removed == Removed("ep:3", ["cloud-1"])


def test_a_resumed_subscriber_gets_the_newest_state_of_each_pillow_in_one_frame() -> None:
    """However many changes it missed."""
    store, planner = make()
    client = Client(planner)
    client.full = True
    flush(planner)
    client.take_frames()
    for at in range(1, 41):
        planner.publish(change_of(store, f"cloud-{at % 4}", at, pad=10_000))
        flush(planner)
    assert client.take_frames() == []

    client.full = False
    planner.resume(client)
    (write,) = flush(planner)

    (on_caught_up,) = client.take_frames()
    assert isinstance(on_caught_up, Updates)
    assert [state["pillow"] for state in on_caught_up.pillows] == [
        "cloud-1", "cloud-2", "cloud-3", "cloud-0",
    ]  # fmt: skip
    assert client.cursor == Cursor("ep", 40)
    assert write.kind == "catch_up"


def test_a_paused_subscriber_is_not_written_to_and_keeps_only_its_resume_point() -> None:
    """Nothing queues up for it."""
    store, planner = make()
    client = Client(planner)
    flush(planner)
    planner.pause(client)
    for at in range(100):
        planner.publish(change_of(store, "cloud-1", at))
        assert list(planner.flush(NOW)) == []
    assert list(planner.announce_broker(Status("online"))) == []

    assert client.resume_from == ResumePoint(0, Status("offline"))


def test_a_resumed_subscriber_gets_the_brokers_status_if_it_changed() -> None:
    """A status that is the same again is not sent."""
    _store, planner = make()
    client = Client(planner)
    flush(planner)
    offline, online = Status("offline"), Status("online")
    limited = Status("online", retained=False)
    for announced, received in (
        ((online, offline), []),
        ((online,), [online]),
        ((offline, limited), [limited]),
    ):
        client.take_frames()
        planner.pause(client)
        for status in announced:
            deliver(planner.announce_broker(status))
        planner.resume(client)
        flush(planner)
        assert client.take_frames() == received


def test_a_resumed_subscriber_gets_a_full_snapshot_when_removals_were_forgotten() -> None:
    """A catch-up would leave pillows on its page that do not exist any more."""
    store, planner = make()
    names = [f"p{number}" for number in range(MAX_TOMBSTONES + 50)]
    for at, name in enumerate(names):
        change_of(store, name, at)
    client = Client(planner)
    flush(planner)
    assert len(client.states) == len(names)
    planner.pause(client)
    for name in names:
        planner.publish(removal_of(store, name))
        flush(planner)
    planner.publish(change_of(store, "last", 1))
    flush(planner)
    client.take_frames()
    planner.resume(client)
    flush(planner)

    first, *_ = client.take_frames()

    assert isinstance(first, Snapshot)
    assert not first.recovered
    assert set(client.states) == {"last"}


def test_a_filter_changed_while_paused_counts_from_the_resume() -> None:
    """A full snapshot of the new filter, then every change."""
    store, planner = make()
    client = Client(planner)
    flush(planner)
    planner.pause(client)
    client.subscribe(frozenset({"cloud-2"}))
    assert flush(planner) == []
    planner.resume(client)
    flush(planner)
    planner.publish(change_of(store, "cloud-2", 99))
    flush(planner)

    _, snapshot, sent = client.take_frames()
    assert isinstance(snapshot, Snapshot)
    assert isinstance(sent, Updates)


def test_a_pending_change_is_sent_once_to_a_new_subscriber() -> None:
    """It is in its snapshot; live subscribers get it as an update."""
    store, planner = make()
    fast = Client(planner)
    flush(planner)
    fast.take_frames()
    planner.publish(change_of(store, "cloud-1", 1))
    joined = Client(planner)
    flush(planner)

    (snapshot,) = joined.take_frames()
    assert isinstance(snapshot, Snapshot)
    assert len(snapshot.pillows) == 1
    assert len(fast.take_frames()) == 1
    assert not planner.is_due
    assert flush(planner) == []


def test_a_waiting_subscriber_gets_the_brokers_status_in_its_snapshot_only() -> None:
    """Not twice, and not an outdated one."""
    _store, planner = make()
    client = Client(planner)
    deliver(planner.announce_broker(Status("online")))
    flush(planner)

    (snapshot,) = client.take_frames()

    assert isinstance(snapshot, Snapshot)
    assert snapshot.broker == "online"


def test_the_goodbye_closes_live_subscribers_now_and_paused_ones_when_resumed() -> None:
    """A paused one gets what it missed before the goodbye."""
    store, planner = make()
    client, slow = Client(planner), Client(planner)
    flush(planner)
    client.take_frames()
    slow.take_frames()
    planner.pause(slow)
    planner.publish(change_of(store, "cloud-1", 1))
    flush(planner)
    deliver(planner.announce_restart(RECONNECT_MS))

    update, goodbye = client.take_frames()
    assert isinstance(update, Updates)
    assert goodbye == Goodbye(RECONNECT_MS)
    assert client.closed
    assert not slow.closed

    planner.resume(slow)
    flush(planner)
    assert slow.take_frames() == [update, goodbye]
    assert slow.closed


def test_a_new_subscriber_gets_the_goodbye_after_its_snapshot_once_announced() -> None:
    """Otherwise the process would wait for it, and its client would not know why it was closed."""
    _store, planner = make()
    deliver(planner.announce_restart(RECONNECT_MS))
    client = Client(planner)
    flush(planner)

    snapshot, goodbye = client.take_frames()

    assert isinstance(snapshot, Snapshot)
    assert goodbye == Goodbye(RECONNECT_MS)
    assert client.closed


def test_on_caught_up_is_called_after_a_snapshot_but_not_after_updates() -> None:
    """The connection writes held-back answers then."""
    store, planner = make()
    client = Client(planner)
    flush(planner)
    assert client.times_caught_up == 1
    planner.publish(change_of(store, "cloud-1", 1))
    flush(planner)
    assert client.times_caught_up == 1
