"""What the planner sends to live subscribers, and how much of it is shared."""

import pytest

from contract.frames import Removed, Snapshot, Updates
from contract.updates import Update, decode_state
from gateway.fanout.coalescing import MAX_FRAME_BYTES
from gateway.fanout.encoding import Encoding
from tests.unit.gateway.fanout.planners import NOW, change_of, flush, make, removal_of
from tests.unit.gateway.subscribers import Client


def test_the_first_frame_is_a_snapshot_with_the_states_byte_for_byte() -> None:
    """Spacing and unknown fields stay as they were on MQTT."""
    store, planner = make()
    payload = b'{ "pillow" :"cloud-1","state":\n"hugging","at":"2026-11-22T06:00:00Z", "x":[1 ,2] }'
    decoded = decode_state("cloud-1", payload)
    assert isinstance(decoded, Update)
    store.put(decoded, None)
    client = Client(planner)

    flush(planner)

    assert client.writes[0].endswith(
        b'{"type":"snapshot","cursor":"ep:1","recovered":false,"broker":"offline","sent":%d,'
        b'"watching":1,"pillows":[%b]}' % (NOW, payload)
    )


def test_subscribers_with_the_same_filter_get_the_same_bytes_object() -> None:
    """A frame is encoded once for the group; so is a snapshot."""
    store, planner = make()
    everything = [Client(planner) for _ in range(3)]
    some = [Client(planner, frozenset({"cloud-1", "cloud-2"})) for _ in range(3)]
    flush(planner)
    planner.publish(change_of(store, "cloud-1", 1))
    flush(planner)

    for group in (everything, some):
        (first, *rest) = [client.writes for client in group]
        assert len(first) == 2
        assert all(a is b for other in rest for a, b in zip(first, other, strict=True))


def test_groups_of_several_encodings_share_the_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A WebSocket and an event stream differ in the bytes around it."""
    store, planner = make()
    wire, stream = Client(planner), Client(planner)
    planner.unsubscribe(stream)
    monkeypatch.setattr(stream, "write", stream.writes.append)
    planner.subscribe(stream, None, Encoding.EVENT, None)
    flush(planner)
    wire.writes.clear()
    stream.writes.clear()

    planner.publish(change_of(store, "cloud-1", 1))
    first, second = planner.flush(NOW)

    assert {first.subscribers, second.subscribers} == {(wire,), (stream,)}
    assert first.updates == second.updates == 1
    assert second.data[second.data.index(b"{") : -2] == first.data[first.data.index(b"{") :]


def test_groups_that_want_the_same_changes_share_the_frame() -> None:
    """Their filters differ in pillows that did not change."""
    store, planner = make()
    clients = [Client(planner, frozenset({"all", f"own-{number}"})) for number in range(5)]
    flush(planner)
    planner.publish(change_of(store, "all", 1))
    made = [write.data for write in planner.flush(NOW)]
    assert len(made) == 5
    assert len({id(frame) for frame in made}) == 1

    planner.publish(change_of(store, "all", 2))
    planner.publish(change_of(store, "own-3", 3))
    flush(planner)
    assert [len(client.states) for client in clients] == [1, 1, 1, 2, 1]


def test_a_change_is_written_to_the_groups_that_want_it_only() -> None:
    """However many groups want other pillows."""
    store, planner = make()
    clients = [Client(planner, frozenset({f"cloud-{number}"})) for number in range(200)]
    flush(planner)
    planner.publish(change_of(store, "cloud-7", 1))

    (write,) = planner.flush(NOW)

    assert write.subscribers == (clients[7],)


def test_updates_and_removals_outside_the_filter_are_not_sent() -> None:
    """The others leave no empty frame behind."""
    store, planner = make()
    client = Client(planner, frozenset({"cloud-2"}))
    flush(planner)
    client.take_frames()
    planner.publish(change_of(store, "cloud-1", 1))
    planner.publish(change_of(store, "cloud-2", 2))
    planner.publish(removal_of(store, "cloud-1"))
    flush(planner)

    (sent,) = client.take_frames()

    assert isinstance(sent, Updates)
    assert [state["pillow"] for state in sent.pillows] == ["cloud-2"]


def test_updates_and_removals_keep_their_order() -> None:
    """A frame carries one kind; the frames of a flush leave in one write."""
    store, planner = make()
    client = Client(planner)
    flush(planner)
    client.take_frames()
    planner.publish(change_of(store, "cloud-1", 1))
    planner.publish(change_of(store, "cloud-2", 2))
    planner.publish(removal_of(store, "cloud-1"))
    planner.publish(removal_of(store, "cloud-2"))
    planner.publish(change_of(store, "cloud-1", 3))
    flush(planner)

    updates, removals, again = client.take_frames()

    assert isinstance(updates, Updates)
    assert updates.cursor == "ep:2"
    assert removals == Removed("ep:4", ["cloud-1", "cloud-2"])
    assert isinstance(again, Updates)
    assert again.cursor == "ep:5"
    assert len(client.writes) == 2


def test_the_planner_is_full_from_max_frame_bytes_on() -> None:
    """More changes would not make the flush cheaper."""
    store, planner = make()
    planner.publish(change_of(store, "cloud-1", 1, pad=MAX_FRAME_BYTES // 2))
    assert not planner.is_full
    planner.publish(change_of(store, "cloud-1", 2, pad=MAX_FRAME_BYTES // 2))
    assert planner.is_full
    flush(planner)
    assert not planner.is_full


def test_calls_for_an_unsubscribed_subscriber_have_no_effect() -> None:
    """Its connection is being closed."""
    _store, planner = make()
    client = Client(planner)
    planner.unsubscribe(client)
    planner.change_filter(client, None)
    planner.resume(client)
    planner.pause(client)

    assert flush(planner) == []
    assert len(planner) == 0


def test_a_change_without_subscribers_is_not_written() -> None:
    """It is in the next snapshot."""
    store, planner = make()
    planner.publish(change_of(store, "cloud-1", 1))
    assert flush(planner) == []

    client = Client(planner)
    flush(planner)
    (snapshot,) = client.take_frames()
    assert isinstance(snapshot, Snapshot)
    assert len(snapshot.pillows) == 1
