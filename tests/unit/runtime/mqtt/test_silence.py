"""The keepalive and the silence of a broker, by properties."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.mqtt.silence import STALL_S, Silence

KEEPALIVE_S = 20.0


def test_a_silent_broker_is_lost_within_two_keepalives() -> None:
    """A PINGREQ after the first."""
    silence = Silence(0, KEEPALIVE_S)
    silence.received(0.5)
    due = [(now, silence.check_keepalive(now)) for now in range(1, 42)]

    assert [one for one in due if one[1]][:2] == [(20, "ping"), (40, "lost")]


@given(st.lists(st.floats(0.1, 19.0), min_size=1, max_size=40))
def test_a_broker_that_sends_anything_between_two_pings_is_never_lost(gaps: list[float]) -> None:
    """Whatever it is: on a slow link the answer to a ping comes behind everything else."""
    silence, now = Silence(0, KEEPALIVE_S), 0.0
    for gap in gaps:
        end = now + gap
        while now < end:
            now = min(now + 1.0, end)
            assert silence.check_keepalive(now) != "lost"
        silence.received(now)


def test_time_in_which_the_process_did_not_run_is_no_silence() -> None:
    """SIGSTOP while a ping is unanswered: what the broker sent is still unread."""
    silence = Silence(0, KEEPALIVE_S)
    for now in range(1, 21):
        silence.check_keepalive(now)
    assert silence.silent_s(20) == 20

    woken = 20 + 300.0
    assert silence.check_keepalive(woken) == "ping"
    assert silence.silent_s(woken) < 1
    due = [silence.check_keepalive(woken + second) for second in range(1, 21)]
    assert due.index("lost") == KEEPALIVE_S - 1


def test_a_slow_check_is_no_pause() -> None:
    """Below the limit the silence counts."""
    silence = Silence(0, KEEPALIVE_S)

    assert silence.silent_s(STALL_S) == STALL_S
