"""Motion apart from the states: what is cut, how many times, and who gets which samples."""

from typing import Any

import pytest
from hypothesis import given

from contract.motion import Motion, MotionSamples, SplitState, split_motion
from gateway.fanout import motion
from gateway.fanout.flush_planner import FlushPlanner
from gateway.fanout.motion import MotionCuts
from gateway.fanout.subscriptions import NAME_BYTES
from tests.unit.contract.strategies import as_json, messages
from tests.unit.gateway.fanout.planners import NOW, change_of, flush, make
from tests.unit.gateway.strategies import fields
from tests.unit.gateway.subscribers import Client


def publish(planner: FlushPlanner, *pillows: str, at: int = 1, has_motion: bool = True) -> None:
    """Change pillows, and flush."""
    for pillow in pillows:
        planner.publish(change_of(planner._store, pillow, at, has_motion=has_motion))
    flush(planner)


def still(planner: FlushPlanner, *pillows: str) -> Client:
    """Return a live subscriber without motion that wants that of some pillows."""
    client = Client(planner, has_motion=False)
    flush(planner)
    planner.subscribe_motion(client, frozenset(pillows))
    client.take_frames()
    return client


def test_samples_follow_their_update_and_are_encoded_once_for_all() -> None:
    """One write for the states, and one for the samples, of all that want the same."""
    _store, planner = make()
    first, second = still(planner, "a", "b"), still(planner, "b", "a")
    planner.publish(change_of(planner._store, "a", 1, has_motion=True))
    planner.publish(change_of(planner._store, "b", 2, has_motion=True))

    writes = flush(planner)

    assert [(one.kind, set(one.subscribers)) for one in writes] == [
        ("update", {first, second}),
        ("motion", {first, second}),
    ]
    assert [type(frame).__name__ for frame in first.frames] == ["Updates", "Motion", "Motion"]


def test_samples_are_sent_to_nobody_who_did_not_ask_or_does_not_get_the_states() -> None:
    """A filter may have changed since the client asked, by its token or a subscription."""
    _store, planner = make()
    asked, silent, whole = still(planner, "a"), still(planner), Client(planner)
    outside = still(planner, "a")
    outside.subscribe(frozenset({"b"}))
    flush(planner)

    publish(planner, "a", "b")

    assert [one.pillow for one in motions(asked)] == ["a"]
    assert not motions(silent)
    assert not motions(whole)
    assert not motions(outside)


def test_a_paused_subscriber_gets_no_samples_now_or_later() -> None:
    """Also one that the update filled up."""
    _store, planner = make()
    paused, filled = still(planner, "a"), still(planner, "a")
    planner.pause(paused)
    filled.full = True

    publish(planner, "a")
    for client in (paused, filled):
        client.full = False
        planner.resume(client)
    flush(planner)

    assert paused.states == filled.states
    assert not motions(paused)
    assert not motions(filled)


def test_only_the_newest_samples_of_a_pillow_are_sent() -> None:
    """Those of the state that the client has then."""
    _store, planner = make()
    client = still(planner, "a")
    for at in (1, 2):
        planner.publish(change_of(planner._store, "a", at, has_motion=True))

    flush(planner)

    assert [one.motion for one in motions(client)] == [[(0, 2, 1.5)]]


def test_a_change_is_cut_once_and_only_for_those_without_motion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many groups, snapshots and samples need it."""
    cut: list[bytes] = []

    def counted(payload: bytes) -> SplitState:
        cut.append(payload)
        return split_motion(payload)

    monkeypatch.setattr(motion, "split_motion", counted)
    _store, planner = make()
    Client(planner)
    publish(planner, "a")
    assert not cut

    client = still(planner, "a")
    named = Client(planner, frozenset({"a"}), has_motion=False)
    flush(planner)
    publish(planner, "a", at=2)

    assert len(cut) == len(set(cut)) == 2
    assert client.states == named.states


def test_states_without_motion_are_the_same_frame_for_everybody() -> None:
    """Encoded once; only the place in the stream tells that there are two groups."""
    _store, planner = make()
    whole, without = Client(planner), still(planner)
    whole.take_frames()

    publish(planner, "a", has_motion=False)

    assert whole.writes[-1] is without.writes[-1]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest cut goes first, and the sum is right."""
    monkeypatch.setattr(motion, "MAX_CUT_BYTES", 1_000)
    store, _planner = make()
    cuts = MotionCuts()
    for number in range(30):
        cuts.without([change_of(store, f"cloud-{number}", 1, has_motion=True)])

    assert 0 < cuts.size_bytes <= 1_000
    assert cuts.size_bytes == sum(one.size for one in cuts._cuts.values())
    assert "cloud-29" in cuts._cuts


def test_names_count_as_those_of_filters_do() -> None:
    """Until the client wants no motion, or leaves."""
    _store, planner = make()
    client = still(planner, "a", "b")
    assert planner.subscription_bytes() == 2 * NAME_BYTES
    assert planner.motion_bytes(client, frozenset({"c"})) == NAME_BYTES

    planner.subscribe_motion(client, frozenset({"c"}))
    assert planner.subscription_bytes() == NAME_BYTES
    planner.unsubscribe(client)
    assert planner.subscription_bytes() == 0


def test_others_get_the_bytes_of_mqtt() -> None:
    """Also when another subscriber has asked for states without motion."""
    store, planner = make()
    whole = Client(planner)
    still(planner, "a")
    change = change_of(store, "a", 1, has_motion=True)
    planner.publish(change)
    assert change.payload is not None

    writes = list(planner.flush(NOW))

    data = {client: write.data for write in writes for client in write.subscribers}
    assert change.payload in data[whole]


def motions(client: Client) -> list[MotionSamples]:
    """Return the samples that a client was sent."""
    return [one for frame in client.frames if isinstance(frame, Motion) for one in frame.pillows]


def test_the_split_keeps_every_byte_of_a_value() -> None:
    """Numbers as they were written, and names in their order."""
    payload = b'{"pillow":"a", "at":"x","n":1.50e1,"motion":[[1.0, 2,3e0]],"seq":7,"l":"\\u00e9"}'

    state, samples = split_motion(payload)

    assert state == b'{"pillow":"a","at":"x","n":1.50e1,"seq":7,"l":"\\u00e9"}'
    assert samples == b'{"pillow":"a","at":"x","seq":7,"motion":[[1.0, 2,3e0]]}'


@given(messages())
def test_a_split_state_is_the_state_without_motion(message: dict[str, Any]) -> None:
    """And the samples are those of the state, with what tells which one it is."""
    payload = as_json(message).encode()
    state, samples = split_motion(payload)

    rest: dict[str, Any] = {name: message[name] for name in message if name != "motion"}
    assert fields(state) == rest
    if "motion" not in message:
        assert (state, samples) == (payload, None)
        return
    own: dict[str, Any] = {
        name: message[name] for name in ("pillow", "at", "seq") if name in message
    }
    assert samples is not None
    assert fields(samples) == own | {"motion": message["motion"]}


@pytest.mark.parametrize(
    "payload",
    [b'{"pillow":"a"}', b'{"pillow":"a","what":"motion"}', b'{"pillow":"\\u0061"}', b"motion"],
)
def test_a_state_without_motion_is_returned_as_it_is(payload: bytes) -> None:
    """The same object, so that it shares its frames."""
    assert split_motion(payload) == (payload, None)
    assert split_motion(payload).payload is payload


@pytest.mark.parametrize("name", [b"motion", b"mot\\u0069on"])
def test_motion_that_is_no_list_is_cut_and_sent_to_nobody(name: bytes) -> None:
    """Clients would refuse it."""
    assert split_motion(b'{"pillow":"a","%b":"much"}' % name) == (b'{"pillow":"a"}', None)
    assert split_motion(b'{"%b":null,"b":1}' % name) == (b'{"b":1}', None)
