"""The queue's time: this machine's clock does not change it, and its error is reported once."""

import math

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from azure_queue.queue_clock import AnswerTime
from contract.updates import Update, decode_state
from poller.queue_time import QueueTime

NOW_S = 1_795_327_200


class Machine:
    """A machine whose clocks a test sets, and the queue's, which runs with the monotonic one."""

    def __init__(self) -> None:
        self.monotonic_s = 100.0
        self.ahead_s = 0.0
        self.time = QueueTime(
            lambda: int((self.queue_s + self.ahead_s) * 1000), lambda: self.monotonic_s
        )

    @property
    def queue_s(self) -> float:
        """What the queue's clock shows."""
        return NOW_S + self.monotonic_s

    def poll(self, after_s: float = 0.7) -> None:
        """Receive an empty page."""
        self.monotonic_s += after_s
        self.time.observe(
            AnswerTime(self.monotonic_s - 0.01, self.monotonic_s, int(self.queue_s) * 1_000_000)
        )


@given(st.lists(st.floats(-(10**7), 10**7), min_size=1, max_size=20))
def test_setting_this_machine_s_clock_changes_nothing(steps_s: list[float]) -> None:
    """Only the measured offset, and with it the metric."""
    machine = Machine()
    for ahead_s in steps_s:
        machine.ahead_s = ahead_s
        machine.poll()
        assert abs(machine.time.now_ms() / 1000 - machine.queue_s) <= 1
        assert abs(machine.time.offset_s() - ahead_s) <= 1


def test_the_wall_clock_takes_the_place_of_a_time_that_is_not_known() -> None:
    """No offset is known then, and no state counts as from the future."""
    machine = Machine()
    machine.ahead_s = -3600.0
    update = decode_state("a", b'{"pillow":"a","state":"hugging","at":"2999-01-01T00:00:00Z"}')
    assert isinstance(update, Update)

    assert machine.time.now_ms() == int((machine.queue_s - 3600) * 1000)
    assert math.isnan(machine.time.offset_s())
    assert not machine.time.is_too_far_ahead(update)
    machine.poll()
    assert machine.time.is_too_far_ahead(update)


def test_a_clock_that_differs_is_logged_once_and_again_when_it_agrees() -> None:
    """A difference of a few seconds is usual."""
    machine = Machine()
    with capture_logs() as logs:
        for ahead_s in (0, 4, -4, 60, 61, -90, 4, 0, 2, -7):
            machine.ahead_s = ahead_s
            for _ in range(5):
                machine.poll()
    assert [(line["log_level"], round(line["offset_s"], -1)) for line in logs] == [
        ("warning", 60),
        ("info", 0),
        ("warning", -10),
    ]


def test_a_slow_answer_does_not_report_a_difference_that_it_cannot_tell() -> None:
    """It took longer than the difference that it seems to show."""
    machine = Machine()
    with capture_logs() as logs:
        machine.time.observe(
            AnswerTime(machine.monotonic_s - 40, machine.monotonic_s, int(machine.queue_s) * 10**6)
        )
    assert logs == []
