"""A message changes the store, the history, the presence and the stream together, or nothing."""

import asyncio
import copy
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.timestamps import format_timestamp
from gateway.state import state_store
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.strategies import EPOCH_MS, PILLOWS, fields, update
from tests.unit.gateway.subscribers import Client
from tests.waiting import until

NUMBERS: Final = (
    "0", "-0", "1.5", "-1", "true", "null", '"1"', "[]", "1e308", "1e400", "-1e400", "1e-400",
    "NaN", "Infinity", "9007199254740991", "9007199254740992", "18446744073709551616",
    "1" + "0" * 400, "-1" + "0" * 400, "1" + "0" * 5000, "0." + "1" * 5000,
    str(EPOCH_MS), str(EPOCH_MS - 1000), str(EPOCH_MS + 40_000),
)  # fmt: skip
"""What somebody may write where a number belongs."""

TIMES: Final = (
    f'"{format_timestamp(EPOCH_MS * 1000)}"',
    f'"{format_timestamp((EPOCH_MS - 7_200_000) * 1000)}"',
    '"0001-01-01T00:00:00+23:59"',
    '"9999-12-31T23:59:59-23:59"',
    '"1969-12-31T23:59:59.999Z"',
    *NUMBERS,
)


@st.composite
def payloads(draw: st.DrawFn, pillow: str) -> bytes:
    """A state with hostile numbers in some of its fields."""
    number = st.sampled_from(NUMBERS)
    at = format_timestamp((EPOCH_MS + draw(st.integers(-400_000, 60_000))) * 1000)
    named = {
        "pillow": f'"{pillow}"',
        "state": draw(st.sampled_from(['"hugging"', '"notconnected"', '"neutral"'])),
        "at": draw(st.one_of(st.just(f'"{at}"'), st.sampled_from(TIMES))),
    }
    for name in draw(st.lists(st.sampled_from(["seq", "battery", "motion", "x"]), unique=True)):
        named[name] = draw(number)
    if draw(st.booleans()):
        names = ("queued", "polled", "published")
        named["hops"] = "{" + ",".join(f'"{name}":{draw(number)}' for name in names) + "}"
    return ("{" + ",".join(f'"{name}":{value}' for name, value in named.items()) + "}").encode()


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, bytes, bool, int | None]:
    """A message of one of three pillows: its topic, payload, retain flag and expiry."""
    pillow = draw(st.sampled_from(PILLOWS))
    expiry_s = draw(st.sampled_from([None, 0, 1, 604_800, 2**32 - 1]))
    match draw(st.integers(0, 9)):
        case 0:
            return f"pillow/{pillow}/state", b"", draw(st.booleans()), expiry_s
        case 1:
            word = draw(st.sampled_from([b"online", b"offline", b"", b"x"]))
            return f"pillow/{pillow}/availability", word, draw(st.booleans()), expiry_s
        case _:
            payload = draw(payloads(pillow))
            return f"pillow/{pillow}/state", payload, draw(st.booleans()), expiry_s


def parts(core: GatewayCore) -> tuple[object, ...]:
    """Return a copy of everything that a message may change."""
    presence = core.presence
    return (
        core.store.cursor,
        list(core.store.states()),
        [core.history.states(pillow) for pillow in PILLOWS],
        copy.deepcopy(presence._pillows),
        list(presence._silent),
        dict(presence._schedule._deadlines_ms),
    )


def world() -> tuple[GatewayCore, list[int]]:
    """A gateway core whose pillows expire, with the time of its clocks."""
    time = [EPOCH_MS]
    core = GatewayCore(clock=lambda: time[0], expire_after_ms=30_000, max_pillows=2)
    core.consumer.on_broker_ready()
    return core, time


async def flushed(client: Client) -> dict[str, dict[str, object]]:
    """Return what a client knows after the next flush."""
    for _ in range(3):
        await asyncio.sleep(0)
    return client.states


@given(st.lists(st.tuples(messages(), st.integers(0, 40_000)), max_size=12))
def test_numbers_of_others_never_make_store_and_stream_disagree(
    sent: list[tuple[tuple[str, bytes, bool, int | None], int]],
) -> None:
    """Whatever they are, no message ends in an error."""

    async def run() -> None:
        core, time = world()
        client = Client(core.dispatcher)
        await until(lambda: bool(client.frames), "sent a snapshot")
        for (topic, payload, retained, expiry_s), pause_ms in sent:
            core.receive(topic, payload, retained=retained, expiry_s=expiry_s)
            shown = [fields(one) for one in core.store.states()]
            known = await flushed(client)
            assert known == {str(one["pillow"]): one for one in shown}
            time[0] += pause_ms
            for change in core.consumer._due():
                core.consumer._publish(change)
        assert core.count("received_total", outcome="error") == 0

    asyncio.run(run())


def _break(_: object, **__: object) -> bytes:
    raise OverflowError("int too large to convert to float")


BEHIND: Final = (update(at=-7_200_000), False)
SILENT: Final = (update("cloud-2", at=-600_000), True)


@pytest.mark.parametrize(
    ("broken", "given_and_retained"),
    [("with_clock_behind", BEHIND), ("encode_not_connected", SILENT)],
    ids=["behind", "silent"],
)
async def test_an_error_while_a_state_is_encoded_changes_nothing(
    broken: str, given_and_retained: tuple[Any, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the only step that works on what others sent."""
    core, time = world()
    core.receive_state(update())
    time[0] += 5_000
    client = Client(core.dispatcher)
    await flushed(client)
    before = parts(core)
    monkeypatch.setattr(state_store, broken, _break)

    sent, retained = given_and_retained
    core.receive_state(sent, retained=retained)

    assert core.count("received_total", outcome="error") == 1
    assert parts(core) == before
    monkeypatch.undo()
    core.receive_state(sent, retained=retained)
    assert parts(core) != before


@pytest.mark.parametrize("broken", ["received", "send_times"])
async def test_an_error_after_a_state_is_stored_keeps_it_from_no_client(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored is published before anything is counted."""
    core, _ = world()
    client = Client(core.dispatcher)
    await until(lambda: bool(client.frames), "sent a snapshot")
    metric = getattr(core.metrics, broken)
    monkeypatch.setattr(metric, "add" if broken == "send_times" else "labels", _break)
    monkeypatch.setattr(core.consumer, "_received", {"error": core.metrics.expired})

    core.receive_state(update(hops={"queued": EPOCH_MS, "published": EPOCH_MS}))

    assert core.count("expired_total") == 1, "no error"
    assert await flushed(client) == {"cloud-1": fields(next(core.store.states()))}
