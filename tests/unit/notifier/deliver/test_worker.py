"""The worker of a destination: every event is settled once, in order, whatever is answered."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.deliver.retry_policy import MAX_REFUSALS, Answer
from notifier.deliver.worker import GONE, Worker
from notifier.detect.detector import Decision
from notifier.metrics import NotifierMetrics
from notifier.outbox.outbox import Outbox, OutboxLimits
from notifier.outbox.outbox_file import Loaded, OutboxFile
from notifier.rules.schema import Destination
from tests.unit.notifier.examples import event
from tests.waiting import until

HOUSE = Destination("house", "https://house.example.org/", retry_max_s=0.001)
ANSWERS = (
    Answer(200),
    Answer(503, "HTTP 503"),
    Answer(404, "HTTP 404"),
    Answer(None, "cut"),
    Answer(410, "HTTP 410"),
)


class FakeSender:
    """Gives the answers in turn, then 200; the ids of the events that were sent."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers = list(answers)
        self.ids: list[str] = []

    async def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        self.ids.append(headers["webhook-id"])
        return self.answers.pop(0) if self.answers else Answer(200)


async def deliver(
    folder: Path, answers: Sequence[Answer], count: int
) -> tuple[FakeSender, NotifierMetrics, list[tuple[str, str]]]:
    """Deliver events until all are settled; return also the dead letters, the oldest first."""
    path = folder / "outbox.db"
    file = OutboxFile(path)
    metrics, sender = NotifierMetrics(["hugs"], ["house"]), FakeSender(answers)
    outbox = Outbox(file, Loaded([], [], 0), {"house": None}, OutboxLimits(99, 99), metrics)
    worker, stopping = Worker(HOUSE, sender, outbox, metrics), asyncio.Event()
    async with asyncio.TaskGroup() as parts:
        parts.create_task(outbox.run(stopping))
        parts.create_task(worker.run())
        outbox.add(Decision([(event(number=number), ("house",)) for number in range(count)]))
        await until(lambda: outbox.waiting("house") == 0, "every event")
        worker.stop()
        stopping.set()
    reopened = OutboxFile(path)
    letters = [(one.event.id, one.error) for one in reversed(reopened.dead_letters())]
    assert reopened.load().waiting == []
    reopened.close()
    return sender, metrics, letters


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.lists(st.sampled_from(ANSWERS), max_size=25), count=st.integers(1, 5))
def test_every_event_arrives_or_becomes_a_dead_letter_in_order(
    tmp_path: Path, answers: list[Answer], count: int
) -> None:
    """Attempts of different events never mix."""
    # A folder for each, because an outbox may close its file after the next one has begun.
    folder = Path(mkdtemp(dir=tmp_path))
    with asyncio.Runner() as runner:
        sender, metrics, letters = runner.run(deliver(folder, answers, count))

    ids = [event(number=number).id for number in range(count)]
    sent = list(dict.fromkeys(sender.ids))
    dead = {one for one, _ in letters}
    assert sender.ids == [one for one in sent for _ in range(sender.ids.count(one))]
    assert sent == [one for one in ids if one in sent]
    assert set(sent) | dead == set(ids)
    value = metrics.registry.get_sample_value(
        "pillowcast_notifier_delivered_events_total", {"destination": "house"}
    )
    assert value == count - len(dead)
    if any(error == GONE for _, error in letters):
        assert Answer(410, "HTTP 410") in answers


async def test_refusals_end_an_event_and_not_the_next_one(tmp_path: Path) -> None:
    refusals = [Answer(404, "HTTP 404")] * MAX_REFUSALS
    sender, _, letters = await deliver(tmp_path, refusals, 2)

    assert [error for _, error in letters] == ["HTTP 404"]
    assert len(sender.ids) == MAX_REFUSALS + 1


async def test_after_410_nothing_is_sent(tmp_path: Path) -> None:
    sender, _, letters = await deliver(tmp_path, [Answer(410, "HTTP 410")], 3)

    assert len(sender.ids) == 1
    assert [error for _, error in letters] == ["HTTP 410", GONE, GONE]
